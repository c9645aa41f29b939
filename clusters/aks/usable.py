"""When a cluster can be used, and what it then says of itself: facts are read from it, never assumed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from clusters import waiting
from clusters.aks.access import Access, ApiError
from clusters.aks.limits import Limits
from clusters.provider import Capability, Progress

#: A new API server is behind a new name and a new load balancer: one answer may be followed by none.
_IN_A_ROW: Final = 3

_DNS: Final = "/api/v1/namespaces/kube-system/pods?labelSelector=k8s-app%3Dkube-dns"
_DEFAULT_CLASS: Final = "storageclass.kubernetes.io/is-default-class"

#: Names of facts, and where a node says them.
_NODE_INFO: Final = {
    "kubelet": "kubeletVersion",
    "kernel": "kernelVersion",
    "os_image": "osImage",
    "container_runtime": "containerRuntimeVersion",
}


def wait(access: Access, progress: Progress, limits: Limits) -> None:
    """Wait until the API server keeps answering, every node is Ready and DNS runs. Raises TooSlowError, ApiError."""

    def until(check: Callable[[], bool], what: str) -> None:
        progress(f"wait for {what}")
        waiting.until(check, limit=limits.usable, interval=limits.look, what=what)

    until(_in_a_row(access.is_ready), "the API server to answer")
    until(lambda: _all_ready(access.items("/api/v1/nodes")), "the nodes to be Ready")
    until(lambda: _all_ready(access.items(_DNS)), "DNS to run")


def facts(access: Access) -> dict[str, str]:
    """Return what the cluster says of itself: versions of the server and of its first node's parts. Raises ApiError."""
    version = access.get("/version") or {}
    node = access.items("/api/v1/nodes")[0]
    info = node["status"]["nodeInfo"]
    found = {
        "kube-apiserver": version.get("gitVersion"),
        "node": node["metadata"]["name"],
        "node_image": node["metadata"].get("labels", {}).get("kubernetes.azure.com/node-image-version"),
        **{name: info.get(key) for name, key in _NODE_INFO.items()},
    }
    return {name: str(value) for name, value in found.items() if value}


def capabilities(access: Access, node: str) -> frozenset[Capability]:
    """Return what the cluster can do, found by asking it. Raises ApiError."""
    return frozenset(_capabilities(access, node))


def _capabilities(access: Access, node: str) -> Iterator[Capability]:
    yield Capability.OURS
    try:
        if access.get(f"/api/v1/nodes/{node}/proxy/configz") is not None:
            yield Capability.CONFIGZ
    except ApiError:
        # It answered everything else: it only will not let this be read.
        pass
    classes = access.items("/apis/storage.k8s.io/v1/storageclasses")
    if any(_annotations(each).get(_DEFAULT_CLASS) == "true" for each in classes):
        yield Capability.VOLUMES


def _in_a_row(check: Callable[[], bool]) -> Callable[[], bool]:
    count = 0

    def counted() -> bool:
        nonlocal count
        count = count + 1 if check() else 0
        return count >= _IN_A_ROW

    return counted


def _all_ready(objects: list[dict[str, Any]]) -> bool:
    """Say whether there is one at least, and all say Ready."""
    conditions = [
        {each["type"]: each["status"] for each in found.get("status", {}).get("conditions") or []} for found in objects
    ]
    return bool(conditions) and all(each.get("Ready") == "True" for each in conditions)


def _annotations(found: dict[str, Any]) -> dict[str, str]:
    return found.get("metadata", {}).get("annotations") or {}
