"""What is known about a cluster: its record on disk, its state now, and the `Cluster` that is handed out."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, ValidationError

from clusters import process
from clusters.embedded import api, features, node, removal, status, toolchain
from clusters.embedded.addresses import CLUSTER_DNS_IP, GIT_CLUSTER_IP, REGISTRY_CLUSTER_IP, REGISTRY_HOST
from clusters.embedded.images import ImageSet
from clusters.embedded.layout import Layout
from clusters.embedded.status import Phase
from clusters.embedded.subnets import Subnet
from clusters.embedded.timeouts import TIMEOUTS
from clusters.provider import Capability, Cluster, ClusterSpec, NodeConditions, Provenance

#: Programs whose versions belong to a result; Kubernetes' own are read from the running cluster.
VERSIONED = ("containerd", "runc", "coredns", "bridge", "buildkitd")

CAPABILITIES = frozenset(
    {Capability.PRELOADED_IMAGES, Capability.NODE_PULLS_FIXTURES, Capability.CONFIGZ, Capability.OURS}
)

#: Bytes. What etcd reserves at once for its log (SegmentSizeBytes in its server/storage/wal); with less it dies.
DISK_FULL = 64 * 2**20


class Record(BaseModel):
    """A cluster as it was asked for and, once it is up, what it consists of. Times are seconds."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    run_id: str
    kubernetes: str
    conditions: NodeConditions = NodeConditions()
    #: Since the epoch.
    created: float
    facts: dict[str, str] = {}
    #: How long each step of the creation took.
    seconds: dict[str, float] = {}


def write_claim(layout: Layout, spec: ClusterSpec) -> None:
    """Write what is going to be made."""
    _write(
        layout,
        Record(
            name=spec.name,
            run_id=spec.run_id,
            kubernetes=spec.kubernetes,
            conditions=spec.conditions,
            created=time.time(),
        ),
    )


def read(layout: Layout) -> Record | None:
    """Return a cluster's record, None when it has none that can be read."""
    try:
        return Record.model_validate_json(layout.record.read_text())
    except (FileNotFoundError, ValidationError):
        return None


def state(layout: Layout) -> str:
    """Say in a word or two how a cluster is now: `ready`, `starting`, `failed: STEP`, `half-made` or `stopped`."""
    now = status.read(layout.status)
    if now is None:
        return "half-made"
    if not removal.processes(layout):
        return "stopped"
    return f"failed: {now.failure.step}" if now.failure is not None else str(now.phase)


def why_broken(layout: Layout) -> str | None:
    """Say which component died, with the end of its log, or None while nothing is known to be wrong.

    A full disk comes first: components die of it, and neither their logs nor their status can then be written.
    """
    if layout.root.is_dir() and shutil.disk_usage(layout.root).free < DISK_FULL:
        return f"the disk is full: no space left on device at {layout.root}"
    now = status.read(layout.status)
    if now is not None and now.phase is Phase.FAILED:
        return f"{now.failure.step if now.failure else 'a component'}: {node.explain(layout, now)}"
    if not removal.processes(layout):
        return "its processes are gone: something killed them"
    return None


def describe(
    layout: Layout, spec: ClusterSpec, subnet: Subnet, images: ImageSet, seconds: Mapping[str, float]
) -> Cluster:
    """Ask the running cluster for its versions, complete the record, and return what is handed out."""
    facts = {**_addresses(layout, subnet), **_versions(layout, spec, subnet)}
    record = read(layout)
    if record is not None:
        _write(layout, record.model_copy(update={"facts": facts, "seconds": dict(seconds)}))
    return Cluster(
        name=spec.name,
        provider="embedded",
        run_id=spec.run_id,
        kubeconfig=layout.kubeconfig,
        kubernetes=spec.kubernetes,
        provenance=Provenance.GENUINE,
        capabilities=CAPABILITIES | features.found(layout),
        images=images.images,
        facts=facts,
    )


def _addresses(layout: Layout, subnet: Subnet) -> dict[str, str]:
    return {
        "node": layout.name,
        "node_ip": subnet.node,
        "cluster_dns_ip": CLUSTER_DNS_IP,
        "registry_host": REGISTRY_HOST,
        "registry_cluster_ip": REGISTRY_CLUSTER_IP,
        "git_cluster_ip": GIT_CLUSTER_IP,
    }


def _versions(layout: Layout, spec: ClusterSpec, subnet: Subnet) -> dict[str, str]:
    server = node.api(layout, subnet.node)
    version = api.get(server, "/version") or {}
    found = api.get(server, f"/api/v1/nodes/{layout.name}") or {}
    info = found.get("status", {}).get("nodeInfo", {})
    wanted = {
        "kernel": "kernelVersion",
        "os": "osImage",
        "architecture": "architecture",
        "container_runtime": "containerRuntimeVersion",
        "kubelet": "kubeletVersion",
    }
    return {
        "kube-apiserver": str(version.get("gitVersion", "")),
        **{name: str(info.get(field, "")) for name, field in wanted.items()},
        **{name: toolchain.version_of(name, spec.kubernetes) for name in (*VERSIONED, *features.programs(layout))},
        "etcd": _etcd_version(layout),
    }


def _etcd_version(layout: Layout) -> str:
    """Ask the program: it is the distribution's, of whatever version that has."""
    lines = process.run([layout.programs / "etcd", "--version"], timeout=TIMEOUTS.command).stdout.splitlines()
    return next((line.split()[-1] for line in lines if line.startswith("etcd Version")), "unknown")


def _write(layout: Layout, record: Record) -> None:
    layout.record.write_text(record.model_dump_json(indent=1))
