"""No node takes the pod."""

from __future__ import annotations

from typing import Final

from conformance.classify.details import message
from conformance.classify.records import FailureClass, Rule, Tier
from conformance.classify.scheduling import excluded_by_placement, lacks_pod_slots, lacks_resources
from conformance.model import Layer, VerdictKind

_SCHEDULING: Final = Layer.SCHEDULING
#: In the end the pod got its node.
_PLACED: Final = r"Successfully assigned"
_COUNTED: Final = r"\d+/\d+ nodes are available: |didn't trigger scale-up|No nodes are available that match all of the"

CLASSES: Final = (
    FailureClass(
        name="scheduling-insufficient-resources",
        layer=_SCHEDULING,
        kind=VerdictKind.INFRASTRUCTURE,
        meaning="No node has enough cpu, memory or another resource left for the pod.",
        remedy="A larger node, or lower requests.",
        reference="https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#my-pods-are-pending-with-event-message-failedscheduling",
        rules=(
            Rule(pattern=_COUNTED, check=lacks_resources, detail=message, tier=Tier.STATE, unless_near=_PLACED),
            Rule(
                pattern=r"\bOutOf(?:cpu|memory|ephemeral-storage)\b|Node didn't have enough resource: (?:cpu|memory"
                r"|ephemeral)"
                r"|no nodes available to schedule pods",
                detail=message,
                tier=Tier.STATE,
            ),
        ),
    ),
    FailureClass(
        name="scheduling-taint-or-selector",
        layer=_SCHEDULING,
        kind=VerdictKind.INFRASTRUCTURE,
        meaning="Taints (disk pressure and unreachable nodes too), selectors or affinity exclude all nodes.",
        remedy="Tolerations or labels; on kind and k3d free the host's disk.",
        reference="https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/",
        rules=(
            Rule(pattern=_COUNTED, check=excluded_by_placement, detail=message, tier=Tier.STATE, unless_near=_PLACED),
            Rule(
                pattern=r"Predicate (?:NodeAffinity|TaintToleration|NodeUnschedulable)\w* failed"
                r"|(?:Reason|Status)\W{1,12}NodeAffinity\b|had (?:untolerated )?taint \{",
                detail=message,
                tier=Tier.STATE,
                unless=r"nodes are available: ",
            ),
        ),
    ),
    FailureClass(
        name="scheduling-too-many-pods",
        layer=_SCHEDULING,
        kind=VerdictKind.INFRASTRUCTURE,
        meaning="Every node runs as many pods as it may.",
        remedy="Add nodes, or raise the kubelet's maxPods.",
        reference="https://kubernetes.io/docs/setup/best-practices/cluster-large/",
        rules=(
            Rule(pattern=_COUNTED, check=lacks_pod_slots, detail=message, tier=Tier.STATE, unless_near=_PLACED),
            Rule(pattern=r"\bOutOfpods\b|enough resource: pods", detail=message, tier=Tier.STATE, unless_near=_PLACED),
        ),
    ),
)
