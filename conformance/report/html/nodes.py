"""What kind of node the results stand for, and where it is unlike most production nodes. Only from recorded facts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from clusters.provider import ImageRole, Provenance
from conformance.model import ClusterRecord, NodeFacts, Run

#: How the origin of an image begins that was made on this machine instead of being pulled as its project published it.
_ASSEMBLED: Final = "assembled"
_BUILDERS: Final = frozenset({ImageRole.BUILDKIT_ROOTLESS, ImageRole.BUILDKIT_ROOTFUL})


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """A kind of node and the clusters that have it."""

    clusters: tuple[str, ...]
    #: Name and value.
    facts: tuple[tuple[str, str], ...]
    #: What sets it apart from most production nodes, each with what follows.
    unlike: tuple[str, ...]
    #: Facts nobody saw: a reader must not take them for absent.
    unknown: tuple[str, ...]


def kinds(run: Run) -> tuple[Kind, ...]:
    """Return each kind of node once, with its clusters, in the order of the run; none for clusters never up."""
    found: dict[tuple[object, ...], list[str]] = {}
    for cluster in run.clusters:
        if not cluster.failure:
            key = (tuple(facts(cluster.node)), tuple(_unlike(cluster)), tuple(_unknown(cluster.node)))
            found.setdefault(key, []).append(cluster.cluster)
    return tuple(
        Kind(clusters=tuple(names), facts=facts_, unlike=unlike, unknown=unknown)  # type: ignore[arg-type]
        for (facts_, unlike, unknown), names in found.items()
    )


def facts(node: NodeFacts) -> Iterator[tuple[str, str]]:
    """Yield what is known of a node besides its name and versions that follow from the cluster's."""
    yield from _known("operating system", node.os)
    yield from _known("kernel", node.kernel)
    yield from _known("architecture", node.architecture)
    yield from _known("container runtime", node.container_runtime)
    yield from _known("cgroups", node.cgroup_version and f"v{node.cgroup_version}")
    yield from _known("AppArmor", _switch(on=node.apparmor))
    yield from _known("security modules", None if node.lsms is None else ", ".join(node.lsms) or "none")
    yield from _known("kubelet seccompDefault", _switch(on=node.seccomp_default))
    yield from _known("ids in a pod's user namespace", node.ids_per_pod)


def _unlike(cluster: ClusterRecord) -> Iterator[str]:
    node = cluster.node
    if cluster.provenance is not Provenance.GENUINE:
        yield f"the cluster is {cluster.provenance}, not genuine: it says nothing binding about {cluster.provider}"
    if node.cgroup_version == 1:
        yield "cgroup v1: most production nodes run v2, where limits and delegation behave differently"
    if node.apparmor is False and not _has(node, "selinux"):
        seen = "no AppArmor or SELinux" if node.lsms is not None else "no AppArmor, and no SELinux was seen"
        yield f"{seen}: where one is enforced it can refuse mounts and user namespaces that are allowed here"
    made = [
        str(image.role) for image in cluster.images if image.role in _BUILDERS and image.origin.startswith(_ASSEMBLED)
    ]
    if made:
        yield f"builder images assembled for the run, not the published ones: {', '.join(made)} (what from: Provenance)"


def _unknown(node: NodeFacts) -> Iterator[str]:
    if node.cgroup_version is None:
        yield "cgroup version"
    if node.apparmor is None and not _has(node, "apparmor"):
        yield "AppArmor"
    if node.lsms is None:
        yield "list of security modules"
    if node.seccomp_default is None:
        yield "kubelet seccompDefault"
    if node.kernel is None:
        yield "kernel"


def _has(node: NodeFacts, module: str) -> bool:
    return node.lsms is not None and module in node.lsms


def _known(name: str, value: object) -> Iterator[tuple[str, str]]:
    if value is not None and value != "":
        yield name, str(value)


def _switch(*, on: bool | None) -> str | None:
    return None if on is None else "on" if on else "off"
