"""What kind of node the results stand for, and where it is unlike most production nodes. Only from recorded facts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from clusters.provider import ImageRole, Provenance
from conformance.model import ClusterRecord, NodeFacts, Run

#: How the origin of an image begins that was made on this machine instead of being pulled as its project published it.
_ASSEMBLED: Final = "assembled"
#: What builds; the others are clients and fixtures.
_BUILDERS: Final = frozenset(ImageRole) - {ImageRole.APP, ImageRole.BUILDX, ImageRole.FIXTURES, ImageRole.FRONTEND}


#: Facts that stand in the first lines of the page, and how they are called there.
_SHORT: Final = {
    "kernel": "kernel",
    "cgroups": "cgroups",
    "AppArmor": "AppArmor",
    "kubelet seccompDefault": "seccompDefault",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """A kind of node and the clusters that have it."""

    clusters: tuple[str, ...]
    #: Name and value.
    facts: tuple[tuple[str, str], ...]
    #: The few that change most answers, e.g. `kernel 6.12`.
    short: tuple[str, ...]
    #: What sets it apart from most production nodes, each with what follows.
    unlike: tuple[str, ...]
    #: Facts nobody saw: a reader must not take them for absent.
    unknown: tuple[str, ...]


def kinds(run: Run) -> tuple[Kind, ...]:
    """Return each kind of node once, with its clusters, in the order of the run; none for clusters never up."""
    found: dict[tuple[object, ...], list[str]] = {}
    for cluster in run.clusters:
        if not cluster.failure:
            key = ((*_asked(cluster), *facts(cluster.node)), tuple(_unlike(cluster)), tuple(_unknown(cluster.node)))
            found.setdefault(key, []).append(cluster.cluster)
    return tuple(
        Kind(clusters=tuple(names), short=tuple(_short(facts_)), facts=facts_, unlike=unlike, unknown=unknown)  # type: ignore[arg-type]
        for (facts_, unlike, unknown), names in found.items()
    )


def _short(facts_: object) -> Iterator[str]:
    found = dict(facts_)  # type: ignore[call-overload]
    for name, words in _SHORT.items():
        if name in found:
            yield f"{words} {found[name]}"


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
    yield from _known("seccomp profiles of its own", _list(node.seccomp_profiles))
    yield from _known("emulates", _list(node.emulators))


def _asked(cluster: ClusterRecord) -> Iterator[tuple[str, str]]:
    """Yield the kind of node that was asked for, where it is not the default one."""
    kind = cluster.kind_of_node
    if not kind.is_default:
        yield "asked for", f"{kind.name}: {kind.summary}" if kind.summary else kind.name


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


def _list(names: tuple[str, ...] | None) -> str | None:
    return None if names is None else ", ".join(names) or "none"


def _switch(*, on: bool | None) -> str | None:
    return None if on is None else "on" if on else "off"
