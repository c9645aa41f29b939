"""The creation of an EKS cluster, as a list of steps."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from clusters import holders, ledger, tags, upstream_images
from clusters.eks import aws as amazon
from clusters.eks import control_plane, kubeconfig, network, node_group, record, removal, roles, usable
from clusters.eks.aws import Answer, Aws
from clusters.eks.names import PROVIDER, Names, names_of
from clusters.eks.pace import Pace
from clusters.eks.record import Record
from clusters.errors import ClusterFailedError, ClustersError, UnavailableError, UsageError
from clusters.provider import Capability, Cluster, ClusterSpec, Progress, Provenance

#: Volumes need a driver that is not installed, network policies a setting that is not made, and nodes do not resolve
#: the names of Services.
CAPABILITIES: Final = frozenset({Capability.CONFIGZ, Capability.OURS})


def create(spec: ClusterSpec, progress: Progress, pace: Pace) -> Cluster:
    """Stand a cluster up. What was made stays when this raises, for its logs: `removal` takes it away."""
    names = names_of(spec.name)
    steps = _Steps(spec.name, progress)
    with steps.step("check what is asked for"):
        check(spec)
        entries = upstream_images.require(spec.images)
        words = tags.of(spec, now=time.time())
    with steps.step("check the account"):
        aws = amazon.connect()
        account = aws.account()
        control_plane.check_line(aws, spec.kubernetes)
        _check_free(aws, names)
        zones = network.zones(aws, node_group.SHAPE.instance_types)
        images = upstream_images.resolve(entries, progress)
    with steps.step("claim the name"):
        profile = os.environ.get("AWS_PROFILE")
        _claim(names, spec, Record(**_asked(spec), account=account, region=aws.region, profile=profile))
    with steps.step("make the roles"):
        cluster_role, node_role = roles.create(aws, names, words)
    with steps.step("make the network"):
        subnets = network.create(aws, names, words, zones)
    with steps.step("make the control plane (about 10 minutes)"):
        line = spec.kubernetes
        control_plane.create(aws, names, words, line=line, role=cluster_role, subnets=subnets, pace=pace)
    with steps.step("make the nodes (about 3 minutes)"):
        node_group.create_template(aws, names, words, spec.conditions)
        node_group.create(aws, names, words, role=node_role, subnets=subnets, pace=pace)
    with steps.step("write the kubeconfig"):
        cluster = _described(aws, names)
        kubeconfig.write(kubeconfig.render(names, cluster, region=aws.region, profile=profile), names)
    with steps.step("wait until it is usable"):
        tokens = kubeconfig.Tokens(names, region=aws.region, profile=profile, pace=pace)
        server = usable.server_of(cluster, tokens, pace)
        facts = usable.wait(server, nodes=node_group.SHAPE.nodes, pace=pace)
    return Cluster(
        name=spec.name,
        provider=PROVIDER,
        run_id=spec.run_id,
        kubeconfig=names.kubeconfig,
        kubernetes=spec.kubernetes,
        provenance=Provenance.GENUINE,
        capabilities=CAPABILITIES,
        images=images,
        facts={**facts, **_described_facts(cluster, aws.region), "expires": words[tags.EXPIRES]},
    )


def check(spec: ClusterSpec) -> None:
    """Raise UsageError for node conditions that an EKS node cannot be given."""
    if spec.conditions.seccomp_profiles or spec.conditions.emulators:
        asked = "seccomp profiles" if spec.conditions.seccomp_profiles else "emulators"
        raise UsageError(
            f"eks cannot put {asked} onto its nodes: use --provider embedded for that condition, or leave it out"
        )


def _asked(spec: ClusterSpec) -> dict[str, str]:
    return {"name": spec.name, "run_id": spec.run_id, "kubernetes": spec.kubernetes}


def _check_free(aws: Aws, names: Names) -> None:
    """Refuse a name whose traces, ours or not, are in the account: what is met later is then our own."""
    found = removal.existing(aws, names)
    if not found and control_plane.find(aws, names) is not None:
        found = (f"cluster {names.cluster}, which is not ours",)
    if found:
        raise UsageError(
            f"{aws.region} has {', '.join(found)} already: use another name, "
            f"or remove it: python -m clusters delete --provider eks {names.name}"
        )


def _claim(names: Names, spec: ClusterSpec, made: Record) -> None:
    """Take the folder, which only one can, then the lease."""
    lease = holders.lease_of_this_process(provider=PROVIDER, name=spec.name, run_id=spec.run_id, created=time.time())
    record.claim(names, made)
    ledger.take(lease)


def _described(aws: Aws, names: Names) -> Answer:
    found = control_plane.find(aws, names)
    if found is None:
        raise ClustersError(f"the control plane {names.cluster} is gone: somebody else deleted it")
    return found


def _described_facts(cluster: Answer, region: str) -> dict[str, str]:
    return {
        "region": region,
        "eks_platform": str(cluster.get("platformVersion", "")),
        "node_image": node_group.SHAPE.image,
        "node_types": ", ".join(node_group.SHAPE.instance_types),
    }


class _Steps:
    """Announces each step with its time, and turns what goes wrong into one kind of error."""

    def __init__(self, name: str, progress: Progress) -> None:
        self._name = name
        self._progress = progress
        self._began = time.monotonic()

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        except (UsageError, UnavailableError, ClusterFailedError):
            raise
        except (ClustersError, OSError) as error:
            raise ClusterFailedError(self._name, what, str(error)) from error
        now = time.monotonic()
        self._progress(f"{what} ({now - began:.1f} s, {now - self._began:.1f} s in all)")
