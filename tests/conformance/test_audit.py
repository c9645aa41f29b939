from __future__ import annotations

import pytest

from clusters import providers
from clusters.errors import ClustersError
from clusters.provider import Lease, Leftover
from conformance import audit


class Cloud:
    def __init__(self, *found: Leftover, leases: tuple[Lease, ...] = (), broken: str = "") -> None:
        self._found, self._leases, self._broken = found, leases, broken

    def list_leases(self) -> tuple[Lease, ...]:
        return self._leases

    def find_leftovers(self) -> tuple[Leftover, ...]:
        if self._broken:
            raise ClustersError(self._broken)
        return self._found


def remains(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(providers, "PROVIDERS", {"cloud": cloud})
    return "\n".join(audit.remains("run-7", ["cloud"]))


def lease(run_id: str, *, kept: bool = False) -> Lease:
    return Lease(provider="cloud", name=f"{run_id}-x", run_id=run_id, created=0, pid=1, pid_started=0, kept=kept)


def test_what_a_run_left_is_named_by_what_it_is_or_by_its_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    left = Leftover(provider="cloud", what="cluster run-7-cloud-1-35 in r: role r1")
    assert "role r1" in remains(Cloud(left), monkeypatch)
    assert "cluster run-7-x" in remains(Cloud(leases=(lease("run-7"),)), monkeypatch)
    assert "janitor --provider cloud" in remains(Cloud(left), monkeypatch)


def test_what_others_left_and_what_is_kept_is_none_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    left = Leftover(provider="cloud", what="cluster run-8-cloud-1-35", name="run-8-cloud-1-35")
    assert remains(Cloud(left, leases=(lease("run-8"), lease("run-7", kept=True))), monkeypatch) == ""


def test_a_provider_that_cannot_be_asked_is_not_taken_for_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "cannot be asked what it still has: logged out" in remains(Cloud(broken="logged out"), monkeypatch)
