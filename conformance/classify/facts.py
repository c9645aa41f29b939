"""What is known of the processes and the node behind the texts; facts decide where several causes share one text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self

from conformance.model import FactsOrigin, Observation

#: Bits of a capability mask (linux/capability.h).
CAP_SETGID: Final = 1 << 6
CAP_SETUID: Final = 1 << 7
CAP_SYS_ADMIN: Final = 1 << 21
#: How many ids the host's own user namespace maps.
_ALL_IDS: Final = 4294967295
NO_PROCESS_SANDBOX: Final = "--oci-worker-no-process-sandbox"


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """Effective facts; None where unknown. Requested ones stand in only where the kubelet always enforces them."""

    origin: FactsOrigin
    #: True: the container runs under a filter, by /proc or because its spec names a profile.
    seccomp_filter: bool | None
    no_new_privs: bool | None
    cap_bnd: int | None
    #: How many ids the container's user namespace maps; None where the map is unknown.
    ids: int | None
    apparmor: bool | None
    sysctls: dict[str, str]
    #: `hostUsers: false` as rendered, and as admitted.
    asks_for_user_namespace: bool
    admitted_user_namespace: bool | None
    shares_processes: bool

    @classmethod
    def of(cls, observation: Observation) -> Self:
        """Read the facts out of an observation."""
        builder, node = observation.builder_facts, observation.node_facts
        admitted = _pod_spec(observation.admitted_pod)
        container = _container(admitted, observation.builder_container)
        context = {**(admitted.get("securityContext") or {}), **(container.get("securityContext") or {})}
        return cls(
            origin=builder.origin,
            seccomp_filter=_seccomp_filter(
                builder.seccomp, context, default=node.seccomp_default if container else None
            ),
            no_new_privs=_no_new_privs(context, seen=builder.no_new_privs),
            cap_bnd=builder.cap_bnd,
            ids=mapped_ids(builder.uid_map),
            apparmor=_apparmor(builder.lsm_label, present=node.apparmor),
            sysctls=node.sysctls,
            asks_for_user_namespace=_pod_spec(observation.rendered_pod).get("hostUsers") is False,
            admitted_user_namespace=admitted.get("hostUsers") is False if admitted else None,
            shares_processes=NO_PROCESS_SANDBOX in _words(container)
            or builder.worker_labels.get("org.mobyproject.buildkit.worker.oci.process-mode") == "no-sandbox",
        )

    @property
    def in_user_namespace(self) -> bool | None:
        """Say whether the container has a user namespace of its own."""
        return None if self.ids is None else self.ids < _ALL_IDS

    def lacks(self, capability: int) -> bool | None:
        """Say whether the bounding set lacks a capability (one of the masks above)."""
        return None if self.cap_bnd is None else not self.cap_bnd & capability


def mapped_ids(uid_map: str | None) -> int | None:
    """Return how many ids a map of proc(5)'s form covers, None where it cannot be read."""
    if not uid_map or not uid_map.strip():
        return None
    try:
        return sum(int(line.split()[2]) for line in uid_map.strip().splitlines())
    except (IndexError, ValueError):
        return None


def _seccomp_filter(mode: int | None, context: dict[str, Any], *, default: bool | None) -> bool | None:
    if mode is not None:
        return mode > 0
    profile = (context.get("seccompProfile") or {}).get("type")
    if profile is not None:
        return bool(profile != "Unconfined")
    return default


def _no_new_privs(context: dict[str, Any], *, seen: bool | None) -> bool | None:
    if seen is not None:
        return seen
    return True if context.get("allowPrivilegeEscalation") is False else None


def _apparmor(label: str | None, *, present: bool | None) -> bool | None:
    """Say whether AppArmor may have a word: it is there and does not leave the container unconfined."""
    if label is not None and label.strip("\x00\n ") in {"", "unconfined"}:
        return False
    return present


def _pod_spec(pod: dict[str, Any]) -> dict[str, Any]:
    """Return the spec of a pod, or of a pod template."""
    spec = pod.get("spec") or {}
    if "containers" not in spec and isinstance(spec.get("template"), dict):
        spec = spec["template"].get("spec") or {}
    return dict(spec)


def _container(spec: dict[str, Any], name: str) -> dict[str, Any]:
    every = [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]
    return next((each for each in every if each.get("name") == name), {})


def _words(container: dict[str, Any]) -> list[str]:
    return [str(word) for word in (*(container.get("command") or []), *(container.get("args") or []))]
