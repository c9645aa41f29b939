"""Memory or disk runs out."""

from __future__ import annotations

from typing import Final

from conformance.classify.details import message
from conformance.classify.records import FailureClass, Rule, Tier
from conformance.model import Layer, VerdictKind

_RESOURCE: Final = Layer.RESOURCE
_EVICTION: Final = "https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/"

CLASSES: Final = (
    FailureClass(
        name="oom-killed",
        layer=_RESOURCE,
        kind=VerdictKind.INFRASTRUCTURE,
        meaning="A container exceeded its memory limit; with a builder the exit code may be 255, not 137.",
        remedy="Raise the limit, or build one step at a time (max-parallelism 1).",
        reference="https://kubernetes.io/docs/tasks/configure-pod-container/assign-memory-resource/",
        explains=(
            "container-exit-137",
            "buildkitd-unavailable",
            "buildkit-frontend-closed",
            "buildkitd-killed-by-step",
        ),
        rules=(
            Rule(
                pattern=r"OOM[ _-]?Killed|OOMKilling|System OOM encountered",
                unless=r"OOM[ _-]?Killed\W{1,4}(?:false|0)\b",
                tier=Tier.STATE,
            ),
            Rule(
                pattern=r"Memory cgroup out of memory|oom-kill:|Out of memory: Kill|invoked oom-killer"
                r"|killed as a result of limit of"
            ),
            Rule(
                pattern=r"ResourceExhausted: .*cannot allocate memory"
                r"|did not complete successfully: (?:exit code: 137|.*cannot allocate memory)"
            ),
            Rule(pattern=r"cannot allocate memory", also=("build-step-failed",), tier=Tier.CONSEQUENCE),
        ),
    ),
    FailureClass(
        name="pod-evicted",
        layer=_RESOURCE,
        kind=VerdictKind.INFRASTRUCTURE,
        meaning="The kubelet evicted the pod: the node's disk, or a limit on ephemeral storage or an emptyDir.",
        remedy="Requests for ephemeral-storage, a larger emptyDir or a PVC.",
        reference=_EVICTION,
        explains=("container-exit-137", "disk-full", "buildkitd-unavailable"),
        rules=(
            Rule(
                pattern=r"\bEvicted\b|eviction manager: (?:must evict|attempting to reclaim)"
                r"|The node was low on resource|The node had condition: "
                r"|Usage of EmptyDir volume .* exceeds"
                r"|ephemeral (?:local )?storage usage exceeds|exceeded its local ephemeral storage limit"
                r"|local ephemeral storage .*exceed",
                detail=message,
                tier=Tier.STATE,
            ),
        ),
    ),
    FailureClass(
        name="disk-full",
        layer=_RESOURCE,
        kind=VerdictKind.INFRASTRUCTURE,
        meaning="Data could not be written: the volume or the node's disk is full.",
        remedy="A larger emptyDir or PVC, or garbage collection.",
        reference=_EVICTION,
        explains=("build-step-failed", "buildkitd-unavailable"),
        rules=(
            Rule(
                pattern=r"^the cluster broke while the cell ran: the disk is full: no space left on device",
                tier=Tier.STATE,
            ),
            Rule(
                pattern=r"no space left on device|not enough (?:free )?(?:disk )?space|disk quota exceeded"
                r"|You don't have enough free space",
                unless=r"/proc/self/exe|unshare|clone\b|keyring|session key|user ?namespace|user_namespaces|inotify"
                r"|newuidmap|too many open files",
            ),
        ),
    ),
)
