"""The creation of an embedded cluster, as a list of steps."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from clusters import holders, ledger
from clusters.embedded import (
    cgroups,
    conditions,
    configs,
    description,
    emulators,
    features,
    host,
    images,
    kubeconfigs,
    locks,
    node,
    pki,
    subnets,
    toolchain,
)
from clusters.embedded.addresses import API_PORT
from clusters.embedded.images import ImageSet
from clusters.embedded.layout import Layout, layout_of
from clusters.embedded.orders import Orders
from clusters.embedded.pki import Identity
from clusters.embedded.steps import Steps
from clusters.embedded.subnets import Subnet
from clusters.errors import ClustersError, UnavailableError, UsageError
from clusters.provider import Cluster, ClusterSpec, ImageRole, Progress

PROVIDER = "embedded"

#: Kubeconfigs of the components, and whose certificate each holds.
COMPONENT_KUBECONFIGS = ("controller-manager", "scheduler", "kube-proxy", "kubelet", "coredns")


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """What a cluster is made of: programs by name, and images."""

    programs: Mapping[str, Path]
    images: ImageSet
    #: What the cluster has beside what all have.
    features: features.Asked = ()


def create(spec: ClusterSpec, progress: Progress) -> Cluster:
    """Stand a cluster up. What was made stays when this raises, for its logs: `remove` takes it away."""
    layout = layout_of(spec.name)
    steps = Steps(layout, progress)
    with steps.step("check this machine"):
        require_host()
        conditions.require(spec)
        for capability, reason in features.lacking(spec.features).items():
            progress(f"without {capability}: {reason}")
    with steps.step("find programs and images"):
        parts = find_parts(spec, progress)
    with steps.step("claim the name"):
        claim(layout, spec)
    with steps.step("connect the network"):
        subnet = subnets.connect(layout)
    with steps.step("issue certificates"):
        issue(layout, subnet, features.identities(parts.features))
    with steps.step("write configuration"):
        configs.write(_describe_node(layout, spec, subnet, parts))
        node.write_surroundings(layout, parts.programs)
        if spec.conditions.seccomp_profiles:
            conditions.write_profiles(layout)
        features.write(parts.features, layout, parts.images.images[ImageRole.APP].reference)
    with steps.step("make cgroups"):
        joined = cgroups.create(layout.cgroup, cgroups.mounted())
    with steps.step("start the node"):
        order = _order(layout, spec, subnet, parts, joined)
        layout.supervisor_spec.write_text(order.model_dump_json(indent=1))
        child = node.start(layout, joined)
    with steps.step("bring the node up"):
        node.follow(layout, child, steps)
    with steps.step("describe the cluster"):
        return description.describe(layout, spec, subnet, parts.images, steps.seconds)


def require_host() -> None:
    """Raise UnavailableError when this machine cannot hold a cluster."""
    reason = host.why_unavailable()
    if reason is not None:
        raise UnavailableError(reason)


def find_parts(spec: ClusterSpec, progress: Progress) -> Parts:
    """Return programs and images, building what is missing. Raises ClustersError."""
    asked = features.possible(spec.features)
    emulating = emulators.programs() if spec.conditions.emulators else ()
    featured = (feature.program for feature in asked)
    extra = (*emulating, *featured, *images.needed_programs(spec.images))
    wanted = (*toolchain.programs_for(spec.kubernetes), *toolchain.pick(extra, kubernetes=spec.kubernetes))
    programs = toolchain.ensure(wanted, progress=progress)
    return Parts(programs=programs, images=images.ensure(programs, progress, spec.images), features=asked)


def find_kubectl(kubernetes: str) -> Path | None:
    """Return the toolchain's kubectl of a Kubernetes line, None when it has not been built."""
    try:
        return toolchain.locate(toolchain.pick(["kubectl"], kubernetes=kubernetes))["kubectl"]
    except ClustersError:
        return None


def claim(layout: Layout, spec: ClusterSpec) -> None:
    """Take the lease, then the folder that bears the name. Raises UsageError when the name is taken."""
    lease = holders.lease_of_this_process(provider=PROVIDER, name=spec.name, run_id=spec.run_id, created=time.time())
    with locks.held():
        if layout.root.exists():
            raise UsageError(_taken(layout))
        ledger.take(lease)
        layout.root.mkdir(mode=0o700, parents=True)
        description.write_claim(layout, spec)
    for folder in layout.folders:
        folder.mkdir(mode=0o755)


def issue(layout: Layout, subnet: Subnet, more: Mapping[str, Identity]) -> None:
    """Make and write all certificates and kubeconfigs, those of `more` components too."""
    made = pki.issue({**pki.identities(layout.name, subnet.node), **more})
    pki.write(made, layout.pki)
    server = f"https://{subnet.node}:{API_PORT}"
    for who in (*COMPONENT_KUBECONFIGS, *more):
        text = kubeconfigs.render(made, who, server=server, cluster=layout.name)
        kubeconfigs.write(text, layout.kubeconfigs / who)
    kubeconfigs.write(kubeconfigs.render(made, "admin", server=server, cluster=layout.name), layout.kubeconfig)


def _order(layout: Layout, spec: ClusterSpec, subnet: Subnet, parts: Parts, joined: tuple[Path, ...]) -> Orders:
    order = node.orders(layout, subnet, cgroups=joined, visible=_visible(parts), images=parts.images.archive)
    emulating = {"emulators": emulators.wanted(layout)} if spec.conditions.emulators else {}
    return order.model_copy(update={"steps": (*order.steps, *features.steps(parts.features, layout)), **emulating})


def _describe_node(layout: Layout, spec: ClusterSpec, subnet: Subnet, parts: Parts) -> configs.Node:
    return configs.Node(
        layout=layout,
        ip=subnet.node,
        pause=parts.images.pause,
        programs=layout.programs,
        has_apparmor=host.has_apparmor(),
        may_lower_oom_score=host.has_capability(host.CAP_SYS_RESOURCE),
        filters_bridge=host.filters_bridge(),
        conditions=spec.conditions,
    )


def _visible(parts: Parts) -> tuple[Path, ...]:
    return (*(path.resolve().parent for path in parts.programs.values()), parts.images.archive.parent)


def _taken(layout: Layout) -> str:
    state = description.state(layout)
    return (
        f"there is a cluster named {layout.name!r} already ({state}): use another name, "
        f"or remove it: python -m clusters delete {layout.name}"
    )
