"""How much a namespace may take of a cluster that is other people's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from clusters.provider import Capability, Cluster
from conformance.kube import Json, Kube
from conformance.waiting import Timeouts, poll

_NAME: Final = "build-conformance"


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """Sizes, in Kubernetes' own words: enough for every build of the matrices several times over."""

    #: All pods of a namespace together.
    pods: str = "20"
    requests_cpu: str = "4"
    requests_memory: str = "8Gi"
    limits_cpu: str = "64"
    limits_memory: str = "64Gi"
    limits_storage: str = "128Gi"
    claims: str = "5"
    claimed_storage: str = "50Gi"
    #: A container that says nothing of its own.
    default_request_cpu: str = "10m"
    default_request_memory: str = "32Mi"
    default_request_storage: str = "32Mi"
    default_cpu: str = "4"
    default_memory: str = "4Gi"
    default_storage: str = "12Gi"

    def quota(self) -> Json:
        """Return the ResourceQuota. Nothing that is reached from outside, or that costs money, may be made."""
        hard = {
            "pods": self.pods,
            "requests.cpu": self.requests_cpu,
            "requests.memory": self.requests_memory,
            "limits.cpu": self.limits_cpu,
            "limits.memory": self.limits_memory,
            "limits.ephemeral-storage": self.limits_storage,
            "persistentvolumeclaims": self.claims,
            "requests.storage": self.claimed_storage,
            "services.loadbalancers": "0",
            "services.nodeports": "0",
        }
        return _object("ResourceQuota", {"hard": hard})

    def limit_range(self) -> Json:
        """Return the LimitRange: without defaults the quota would refuse every container that sets no limits."""
        ours = {
            "type": "Container",
            "defaultRequest": {
                "cpu": self.default_request_cpu,
                "memory": self.default_request_memory,
                "ephemeral-storage": self.default_request_storage,
            },
            "default": {
                "cpu": self.default_cpu,
                "memory": self.default_memory,
                "ephemeral-storage": self.default_storage,
            },
        }
        return _object("LimitRange", {"limits": [ours]})


BOUNDS: Final = Bounds()


def are_due(cluster: Cluster) -> bool:
    """Say whether namespaces need bounds: not on a cluster that is ours alone."""
    return Capability.OURS not in cluster.capabilities


def set_on(kube: Kube, namespace: str, bounds: Bounds = BOUNDS) -> None:
    """Bound a new namespace and wait until pods can be created in it all the same. Raises ApiError, WaitError."""
    kube.create_limit_range(namespace, bounds.limit_range())
    kube.create_resource_quota(namespace, bounds.quota())
    # Until its use has been counted, every pod is refused: "status unknown for quota".
    poll(
        lambda: (kube.resource_quota(namespace, _NAME) or {}).get("status", {}).get("hard"),
        within=Timeouts().service_account,
        what=f"the ResourceQuota of namespace {namespace} being counted",
        every=0.1,
    )


def _object(kind: str, spec: Json) -> Json:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": _NAME}, "spec": spec}
