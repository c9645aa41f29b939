"""Let facts decide what texts cannot: confirm a class, put another in its place, or say that it stays open."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from conformance.classify.catalogue import CLASSES
from conformance.classify.connection import SHARED, SILENT, Fault, fault_behind
from conformance.classify.facts import CAP_SETGID, CAP_SETUID, Facts
from conformance.classify.records import Hit
from conformance.model import Evidence, Observation, SourceKind

#: Where evidence stands that is no line of a text.
OBSERVATION_FILE: Final = "observation.json"

_MAP_ARGUMENTS: Final = re.compile(r"new[ug]idmap \d{1,10} \[([\d ]{1,400})\]")
_UNPRIVILEGED_CLONE: Final = "kernel.unprivileged_userns_clone"
_RESTRICTED_USERNS: Final = "kernel.apparmor_restrict_unprivileged_userns"

Settled = tuple[Hit, tuple[Evidence, ...]]


def settle(hit: Hit, observation: Observation) -> Settled:
    """Return the hit as facts leave it, and the facts that were decisive as further evidence."""
    if (fault := fault_behind(hit.class_.name, observation)) is not None:
        return _by_connection(hit, fault)
    rule = _RULES.get(hit.class_.name)
    return rule(hit, Facts.of(observation), observation) if rule is not None else (hit, ())


def _confirmed(hit: Hit, reason: str, facts: Facts) -> Settled:
    detail = "; ".join(part for part in (hit.detail, reason) if part)
    return replace(hit, also=(), detail=detail), (_fact(reason, facts),)


def _instead(hit: Hit, name: str, reason: str, facts: Facts, *, also: tuple[str, ...] = ()) -> Settled:
    return replace(hit, class_=CLASSES[name], also=also, detail=reason), (_fact(reason, facts),)


def _open(hit: Hit, reason: str, facts: Facts, *others: str) -> Settled:
    also = tuple(dict.fromkeys((*hit.also, *others)))
    return replace(hit, also=also), (_fact(reason, facts),)


def _fact(text: str, facts: Facts) -> Evidence:
    return Evidence(file=OBSERVATION_FILE, line=0, text=f"{text} (facts from: {facts.origin})")


def _by_connection(hit: Hit, fault: Fault) -> Settled:
    evidence = (Evidence(file=OBSERVATION_FILE, line=0, text=f"{fault.reason} (checked beforehand)"),)
    if hit.class_.name == fault.class_:
        detail = "; ".join(part for part in (hit.detail, fault.reason) if part)
        return replace(hit, also=(), detail=detail), evidence
    if hit.class_.name in SHARED | SILENT:
        return replace(hit, class_=CLASSES[fault.class_], also=(), detail=fault.reason), evidence
    # The text names another cause than the certificates have: neither is to be believed alone.
    return replace(hit, also=tuple(dict.fromkeys((*hit.also, fault.class_)))), evidence


def _clone_eperm(hit: Hit, facts: Facts, observation: Observation) -> Settled:
    if facts.sysctls.get(_UNPRIVILEGED_CLONE) == "0":
        return _instead(hit, "rootlesskit-unprivileged-clone-disabled", f"the node's {_UNPRIVILEGED_CLONE} is 0", facts)
    if facts.seccomp_filter:
        return _confirmed(hit, "the container runs under a seccomp filter", facts)
    if facts.seccomp_filter is False:
        return _open(hit, "no seccomp filter is in force, so something else refuses", facts)
    kinds = {source.file: source.kind for source in observation.sources}
    if kinds.get(hit.evidence.file) is SourceKind.DAEMON:
        # rootlesskit itself looks at the sysctl and says so in the same log (pkg/parent/warn.go).
        return replace(hit, also=()), ()
    return hit, ()


def _clone_eacces(hit: Hit, facts: Facts, _: Observation) -> Settled:
    if facts.sysctls.get(_RESTRICTED_USERNS) == "1":
        return _instead(hit, "rootlesskit-apparmor-userns-restricted", f"the node's {_RESTRICTED_USERNS} is 1", facts)
    if facts.sysctls.get(_RESTRICTED_USERNS) == "0":
        return _confirmed(hit, f"the node's {_RESTRICTED_USERNS} is 0, so it is a profile that refuses", facts)
    if facts.apparmor is False:
        return _confirmed(hit, "AppArmor has no say here, so it is another security module", facts)
    return hit, ()


def _newuidmap_eperm(hit: Hit, facts: Facts, _: Observation) -> Settled:
    if facts.no_new_privs:
        return _confirmed(hit, "no_new_privs is set (allowPrivilegeEscalation false)", facts)
    highest = _highest_id(hit.evidence.text)
    if facts.in_user_namespace and facts.ids is not None and highest is not None and highest > facts.ids:
        reason = f"ids up to {highest - 1} are asked for and the pod's user namespace has {facts.ids}"
        return _confirmed(hit, reason, facts)
    if facts.no_new_privs is None or facts.in_user_namespace is None:
        return hit, ()
    also = ("rootlesskit-newuidmap-caps",) if facts.apparmor is not False else ()
    reason = "no_new_privs is not set and the ids fit, so newuidmap itself lacks the capabilities"
    return _instead(hit, "rootlesskit-newuidmap-no-file-caps", reason, facts, also=also)


def _highest_id(text: str) -> int | None:
    """Return the first id beyond what newuidmap was asked to map, from rootlesskit's message."""
    arguments = _MAP_ARGUMENTS.search(text)
    numbers = [int(word) for word in arguments.group(1).split()] if arguments else []
    ends = [first + count for _, first, count in zip(*[iter(numbers)] * 3, strict=False)]
    return max(ends, default=None)


def _newuidmap_caps(hit: Hit, facts: Facts, _: Observation) -> Settled:
    if facts.lacks(CAP_SETUID) or facts.lacks(CAP_SETGID):
        return _confirmed(hit, "SETUID or SETGID is missing in the bounding set", facts)
    if facts.lacks(CAP_SETUID) is False and facts.apparmor is False:
        reason = "the bounding set has SETUID and SETGID and AppArmor has no say"
        return _open(hit, reason, facts, "rootlesskit-newuidmap-no-file-caps")
    return hit, ()


def _by_seccomp(hit: Hit, facts: Facts, _: Observation) -> Settled:
    if facts.seccomp_filter:
        return _confirmed(hit, "the container runs under a seccomp filter", facts)
    if facts.seccomp_filter is False:
        return _open(hit, "no seccomp filter is in force, so something else refuses", facts, *_WITHOUT_SECCOMP)
    return hit, ()


#: What refuses where seccomp does not: a class of its own does not exist, so the cell stays open.
_WITHOUT_SECCOMP: Final = ("apparmor-denied",)


def _podman(hit: Hit, facts: Facts, observation: Observation) -> Settled:
    if not hit.also:
        return hit, ()
    if facts.seccomp_filter:
        return _instead(hit, "buildah-userns-eperm", "the container runs under a seccomp filter", facts)
    return _clone_eacces(hit, facts, observation) if facts.sysctls.get(_RESTRICTED_USERNS) == "0" else (hit, ())


def _sandbox_gate(hit: Hit, facts: Facts, _: Observation) -> Settled:
    if facts.in_user_namespace is False:
        return _confirmed(hit, "/proc/self/uid_map is the host's: the pod has no user namespace", facts)
    if facts.in_user_namespace:
        return _open(
            hit, "/proc/self/uid_map says that the pod has a user namespace", facts, "buildkitd-rootless-not-in-userns"
        )
    return hit, ()


def _killed_by_step(hit: Hit, facts: Facts, observation: Observation) -> Settled:
    for pod in observation.pods:
        for container in pod.containers:
            ended = container.last_terminated or container.terminated
            if container.name == observation.builder_container and ended is not None and ended.reason == "Error":
                reason = (
                    f"container {container.name} ended with reason Error, exit code {ended.exit_code}: not for memory"
                )
                return _confirmed(hit, reason, facts)
    return hit, ()


_RULES: Final[dict[str, Callable[[Hit, Facts, Observation], Settled]]] = {
    "rootlesskit-clone-eperm": _clone_eperm,
    "rootlesskit-clone-eacces": _clone_eacces,
    "rootlesskit-newuidmap-eperm": _newuidmap_eperm,
    "rootlesskit-newuidmap-caps": _newuidmap_caps,
    "git-unshare-eperm": _by_seccomp,
    "executor-keyring-eperm": _by_seccomp,
    "buildah-userns-eperm": _by_seccomp,
    "podman-userns-eacces": _podman,
    "executor-no-process-sandbox-gate": _sandbox_gate,
    "buildkitd-killed-by-step": _killed_by_step,
}
