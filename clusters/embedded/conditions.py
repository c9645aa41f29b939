"""What a node is asked to be like: whether that is possible, and the files that make it so."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from clusters.embedded import emulators, host
from clusters.embedded.layout import Layout
from clusters.errors import UnavailableError, UsageError
from clusters.provider import SECCOMP_PROFILES, ClusterSpec, NodeConditions

DEFAULTS: Final = NodeConditions()

#: The kubelet's own limit: as many pods must fit into the ids that it gives out.
MAX_PODS: Final = 250

#: The first line whose kubelet has `userNamespaces` (k8s.io/kubelet, config/v1beta1).
_FIRST_WITH_IDS_PER_POD: Final = (1, 33)

#: All ids there are, without those that a kubelet keeps for the machine (pkg/kubelet, getKubeletMappings).
_UNIT: Final = 2**16
_IDS: Final = 2**32 - _UNIT

_PROFILES: Final = Path(__file__).with_name("profiles")


def require(spec: ClusterSpec) -> None:
    """Refuse what no node can be. Raises UsageError where nothing can, UnavailableError where this machine cannot."""
    wrong = _why_wrong(spec)
    if wrong is not None:
        raise UsageError(wrong)
    reason = why_impossible(spec.conditions)
    if reason is not None:
        raise UnavailableError(
            f"a node of {spec.name} cannot be as it is asked for: {reason}. "
            "Leave that condition out, or use a machine that has it"
        )


def why_impossible(conditions: NodeConditions) -> str | None:
    """Say in a few words what this machine lacks for such a node, or None."""
    if conditions.apparmor and not host.has_apparmor():
        return "no AppArmor"
    return emulators.why_unavailable() if conditions.emulators else None


def kubelet(conditions: NodeConditions) -> dict[str, Any]:
    """Return what the kubelet's configuration has to say: nothing where the kubelet's own default is meant."""
    content: dict[str, Any] = {}
    if conditions.seccomp_default:
        content["seccompDefault"] = True
    if conditions.ids_per_pod != DEFAULTS.ids_per_pod:
        content["userNamespaces"] = {"idsPerPod": conditions.ids_per_pod}
    return content


def write_profiles(layout: Layout) -> None:
    """Put the Localhost seccomp profiles where the kubelet looks for them."""
    for name in SECCOMP_PROFILES:
        path = layout.var_lib / "kubelet" / "seccomp" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((_PROFILES / path.name).read_bytes())


def _why_wrong(spec: ClusterSpec) -> str | None:
    ids = spec.conditions.ids_per_pod
    if ids == DEFAULTS.ids_per_pod:
        return None
    line = tuple(int(part) for part in spec.kubernetes.split("."))
    if line < _FIRST_WITH_IDS_PER_POD:
        return (
            f"{ids} ids per pod were asked for, and the kubelet of Kubernetes {spec.kubernetes} cannot be told how "
            "many: use Kubernetes 1.33 or newer, or leave the number out"
        )
    # Anything else ends the kubelet: "assigned IDs length is not a multiple", or "not enough to support 250 pods".
    possible = tuple(_UNIT << power for power in range(16) if _IDS // (_UNIT << power) >= MAX_PODS)
    if ids in possible:
        return None
    enough = next((one for one in possible if one >= ids), possible[-1])
    return (
        f"{ids} ids per pod cannot be given out: the kubelet divides all ids (2^32) evenly among up to {MAX_PODS} "
        f"pods, so it must be a power of two from {possible[0]} to {possible[-1]}, for example {enough}"
    )
