from __future__ import annotations

from typing import cast

import pytest

from clusters.provider import SECCOMP_PROFILES
from conformance.kube import Json, Kube
from conformance.observe import node
from conformance.waiting import Timeouts

RAN = "==conformance== status\nSeccomp:\t{mode}\n==conformance== end\n"
REFUSED = 'cannot load seccomp profile "/var/lib/kubelet/seccomp/x.json": no such file or directory'
ALLOW_ALL, ROOTLESS = SECCOMP_PROFILES


class Canaries:
    """A node whose canaries are in some state: a log, or why they wait."""

    def __init__(self, logs: dict[str, str] | None = None, waits: dict[str, str] | None = None) -> None:
        self._logs = logs or {}
        self._waits = waits or {}

    def logs(self, _namespace: str, _pod: str, container: str) -> str | None:
        return self._logs.get(container)

    def pod(self, _namespace: str, pod: str) -> Json:
        statuses = [
            {"name": name, "state": {"waiting": {"reason": "CreateContainerError", "message": message}}}
            for name, message in self._waits.items()
        ]
        return {"metadata": {"name": pod}, "status": {"phase": "Pending", "containerStatuses": statuses}}


def profiles(canaries: Canaries) -> tuple[str, ...] | None:
    return node._profiles(cast("Kube", canaries), "ns")


def test_profiles_under_which_containers_ran_filtered_are_there() -> None:
    assert profiles(Canaries({"allow-all": RAN.format(mode=2), "rootless": RAN.format(mode=2)})) == SECCOMP_PROFILES


def test_a_container_that_was_refused_for_its_profile_lacks_it() -> None:
    assert profiles(Canaries(waits={"allow-all": REFUSED, "rootless": REFUSED})) == ()
    assert profiles(Canaries({"rootless": RAN.format(mode=2)}, {"allow-all": REFUSED})) == (ROOTLESS,)


def test_a_profile_that_filters_nothing_was_not_in_force() -> None:
    assert profiles(Canaries({"allow-all": RAN.format(mode=0), "rootless": RAN.format(mode=2)})) == (ROOTLESS,)


def test_a_canary_that_waits_for_something_else_leaves_the_profiles_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "Timeouts", lambda: Timeouts(facts=0.2))
    assert profiles(Canaries({"rootless": RAN.format(mode=2)}, {"allow-all": "Back-off pulling image"})) is None


def test_each_profile_has_a_container_of_its_own_that_asks_for_it() -> None:
    containers = node._profile_canary("image")["spec"]["containers"]
    asked = [each["securityContext"]["seccompProfile"] for each in containers]
    assert asked == [{"type": "Localhost", "localhostProfile": profile} for profile in SECCOMP_PROFILES]
    assert len({each["name"] for each in containers}) == len(SECCOMP_PROFILES)
