"""What the cluster says of itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from clusters.errors import UnavailableError
from clusters.existing.server import Server
from clusters.provider import Capability

_MINOR: Final = re.compile(r"v?(1\.\d+)")
_DEFAULT_CLASS: Final = "storageclass.kubernetes.io/is-default-class"
_NODE_INFO: Final = {"kubelet": "kubeletVersion", "container_runtime": "containerRuntimeVersion"}


def version(server: Server) -> str:
    """Return the server's version, e.g. `v1.35.4`. Raises ClustersError."""
    return str(server.get("/version").get("gitVersion") or "")


def line_of(said: str) -> str:
    """Return the line of a version, whatever vendors add: `1.33` of `v1.33.4-eks-3cfe0ce`. Raises UnavailableError."""
    found = _MINOR.match(said)
    if found is None:
        raise UnavailableError(f"the API server says {said!r} of its version, which is no version of Kubernetes 1")
    return found[1]


def of(server: Server) -> dict[str, str]:
    """Return versions and the number of nodes; names and addresses are the owner's and stay there."""
    nodes = server.items("/api/v1/nodes")
    infos = [node.get("status", {}).get("nodeInfo", {}) for node in nodes]
    found = {
        name: ", ".join(sorted({str(info[key]) for info in infos if key in info})) for name, key in _NODE_INFO.items()
    }
    return {"kube-apiserver": version(server), "nodes": str(len(nodes)), **{k: v for k, v in found.items() if v}}


def capabilities(server: Server) -> frozenset[Capability]:
    """Return what the cluster can be seen to do; nobody can see whether NetworkPolicies are enforced."""
    return frozenset(_capabilities(server))


def _capabilities(server: Server) -> Iterator[Capability]:
    classes = server.items("/apis/storage.k8s.io/v1/storageclasses")
    if any((each["metadata"].get("annotations") or {}).get(_DEFAULT_CLASS) == "true" for each in classes):
        yield Capability.VOLUMES
