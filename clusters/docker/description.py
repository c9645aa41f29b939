"""What a running cluster in containers is and can do: asked from it, never assumed."""

from __future__ import annotations

import ipaddress
import json
from typing import Any, Final

from clusters.docker.node_images import NodeImage
from clusters.docker.work import Nodes, Work
from clusters.embedded.addresses import REGISTRY_HOST
from clusters.errors import ClusterFailedError
from clusters.provider import Capability

#: Where the fixtures' Services are put in the range of Services, counted from its first address.
_REGISTRY_OFFSET: Final = 49
_GIT_OFFSET: Final = 50

_DEFAULT_CLASS: Final = "storageclass.kubernetes.io/is-default-class"
_NO_PROVISIONER: Final = "kubernetes.io/no-provisioner"

_NODE_INFO: Final = {
    "kernel": "kernelVersion",
    "os": "osImage",
    "architecture": "architecture",
    "container_runtime": "containerRuntimeVersion",
    "kubelet": "kubeletVersion",
}


def addresses(work: Work, nodes: Nodes, kubectl: tuple[str, ...]) -> dict[str, str]:
    """Return where cluster DNS is and where the fixtures' Services are to be. Raises ClusterFailedError."""
    own = work.get(nodes, kubectl, "service", "kubernetes", "--namespace=default").get("spec", {}).get("clusterIP")
    dns = work.get(nodes, kubectl, "service", "kube-dns", "--namespace=kube-system").get("spec", {}).get("clusterIP")
    if not own:
        raise ClusterFailedError(
            work.spec.name, "ask for addresses", "the API server does not say its Service's address", work.place.root
        )
    # Of any range of Services, the API server takes the first address.
    first = ipaddress.ip_address(str(own))
    return {
        "cluster_dns_ip": str(dns or ""),
        "registry_host": REGISTRY_HOST,
        "registry_cluster_ip": str(first + _REGISTRY_OFFSET),
        "git_cluster_ip": str(first + _GIT_OFFSET),
    }


def tell_of_registry(work: Work, nodes: Nodes, facts: dict[str, str], folder: str) -> None:
    """Tell each node's containerd that the fixture registry is a Service and speaks plain http (hosts.md)."""
    address = f"{facts['registry_cluster_ip']}:5000"
    text = f'server = "http://{address}"\n\n[host."http://{address}"]\n  capabilities = ["pull", "resolve"]\n'
    for node in nodes.every:
        for name in (REGISTRY_HOST, address):
            work.execute(node, "mkdir", "-p", f"{folder}/{name}")
            work.execute(node, "cp", "/dev/stdin", f"{folder}/{name}/hosts.toml", stdin=text.encode())


def facts(work: Work, nodes: Nodes, kubectl: tuple[str, ...], image: NodeImage) -> dict[str, str]:
    """Return versions and what the nodes are made of."""
    listed = work.get(nodes, kubectl, "nodes").get("items", [])
    info: dict[str, Any] = listed[0].get("status", {}).get("nodeInfo", {}) if listed else {}
    server = work.execute(nodes.server, *kubectl, "version", "--output=json", check=False)
    engine = work.engine.run("version", "--format", "{{.Server.Version}}", check=False).stdout.strip()
    return {
        "node": nodes.server,
        "nodes": " ".join(nodes.every),
        "kube-apiserver": _server_version(server.stdout),
        **{name: str(info.get(field, "")) for name, field in _NODE_INFO.items()},
        "engine": f"{engine or work.engine.program}{', our own' if work.engine.is_ours else ''}",
        "node_image": image.reference,
        "node_image_origin": "assembled on this machine: a stand-in" if image.made else "as it was published",
    }


def capabilities(
    work: Work, nodes: Nodes, kubectl: tuple[str, ...], *, certs: str, containerd: tuple[str, ...], enforcer: str
) -> frozenset[Capability]:
    """Return what works.

    `certs` is the folder where containerd is told of registries, `containerd` the command that says its
    configuration, `enforcer` the DaemonSet of a network that enforces policies (empty: nothing to look for).
    """
    found = {Capability.PRELOADED_IMAGES, Capability.OURS}
    if all(certs in work.execute(node, *containerd, check=False).stdout for node in nodes.every):
        found.add(Capability.NODE_PULLS_FIXTURES)
    if _answers_configz(work, nodes, kubectl):
        found.add(Capability.CONFIGZ)
    if any(_is_default(each) for each in work.get(nodes, kubectl, "storageclass").get("items", [])):
        found.add(Capability.VOLUMES)
    if enforcer and work.get(nodes, kubectl, "daemonset", enforcer, "--namespace=kube-system"):
        found.add(Capability.NETWORK_POLICY)
    return frozenset(found)


def _answers_configz(work: Work, nodes: Nodes, kubectl: tuple[str, ...]) -> bool:
    path = f"/api/v1/nodes/{nodes.server}/proxy/configz"
    return '"kubeletconfig"' in work.execute(nodes.server, *kubectl, "get", "--raw", path, check=False).stdout


def _is_default(storage_class: dict[str, Any]) -> bool:
    annotations = storage_class.get("metadata", {}).get("annotations") or {}
    return annotations.get(_DEFAULT_CLASS) == "true" and storage_class.get("provisioner") != _NO_PROVISIONER


def _server_version(text: str) -> str:
    try:
        return str(json.loads(text).get("serverVersion", {}).get("gitVersion", ""))
    except ValueError:
        return ""
