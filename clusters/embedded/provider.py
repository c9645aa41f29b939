"""The embedded provider: a real one-node Kubernetes from its own binaries in namespaces of its own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from clusters import ledger
from clusters.embedded import conditions as possible
from clusters.embedded import (
    creation,
    description,
    evidence,
    features,
    host,
    layout,
    leftovers,
    removal,
    requirements,
    toolchain,
)
from clusters.errors import UsageError
from clusters.provider import Cluster, ClusterSpec, Lease, Leftover, NodeConditions, Progress

#: Bytes.
_WEIGHT: Final = 3 * 1024**3


class EmbeddedProvider:
    """The verbs. All state is on disk and in the kernel: any process can delete what another created."""

    def why_unavailable(self) -> str | None:
        """Say what is missing on this machine and how to get it, or None."""
        return host.why_unavailable()

    def why_impossible(self, conditions: NodeConditions) -> str | None:
        """Say in a few words why no node here can be like that, or None when one can."""
        return possible.why_impossible(conditions)

    def kubernetes_lines(self) -> tuple[str, ...]:
        """Return the lines that are pinned."""
        return toolchain.KUBERNETES_LINES

    def weight(self) -> int:
        """Return the bytes of memory that a cluster takes while builds run in it (measured with four at once)."""
        return _WEIGHT

    def prepare(self, spec: ClusterSpec, progress: Progress) -> None:
        """Install missing Debian packages, build programs and images; resumable. Raises ClustersError."""
        layout.layout_of(spec.name)
        toolchain.programs_for(spec.kubernetes)
        possible.require(spec)
        creation.require_host()
        requirements.install(requirements.missing(), progress)
        features.install(spec.features, progress)
        creation.find_parts(spec, progress)

    def create(self, spec: ClusterSpec, progress: Progress) -> Cluster:
        """Stand a cluster up: node Ready, images present, DNS answering. Raises ClustersError.

        What was made stays when it fails, so that logs can be collected: call `delete`.
        """
        return creation.create(spec, progress)

    def delete(self, name: str) -> None:
        """Remove everything that bears this name; what is already gone is no error. Raises ClustersError."""
        removal.remove(layout.layout_of(name))
        ledger.release(creation.PROVIDER, name)

    def collect_logs(self, name: str, into: Path) -> None:
        """Copy logs, configuration, status and the kernel's last lines into a folder; keys are left out."""
        evidence.collect(layout.layout_of(name), into)

    def list_leases(self) -> tuple[Lease, ...]:
        """Return the leases of embedded clusters that have not been released."""
        return ledger.leases(creation.PROVIDER)

    def why_broken(self, name: str) -> str | None:
        """Say which component died and how, or None while nothing is known to be wrong."""
        return description.why_broken(layout.layout_of(name))

    def find_leftovers(self) -> tuple[Leftover, ...]:
        """Return the traces of embedded clusters that no open lease of this state folder explains."""
        return leftovers.find({layout.layout_of(lease.name) for lease in self.list_leases()})

    def state(self, name: str) -> str:
        """Say how a cluster is: `ready`, `starting`, `failed: STEP`, `half-made`, `stopped` or `gone`."""
        found = layout.layout_of(name)
        return description.state(found) if found.root.is_dir() else "gone"

    def environment(self, name: str) -> Mapping[str, str]:
        """Return KUBECONFIG, and PATH with the toolchain's kubectl in front where it was built. Raises UsageError."""
        found = self._existing(name)
        record = description.read(found)
        kubectl = creation.find_kubectl(record.kubernetes) if record is not None else None
        path = os.environ.get("PATH", requirements.PROGRAM_PATH)
        return {
            "KUBECONFIG": str(found.kubeconfig),
            "PATH": path if kubectl is None else f"{kubectl.parent}:{path}",
        }

    def node_command(self, name: str) -> tuple[str, ...]:
        """Return the `nsenter` that enters the namespaces of a cluster's node. Raises UsageError."""
        found = self._existing(name)
        pid = removal.namespace_pid(found)
        if pid is None:
            raise UsageError(f"cluster {name!r} does not run ({description.state(found)}): there is no node to enter")
        return ("nsenter", "--target", str(pid), "--mount", "--net", "--pid", "--ipc", "--uts", "--")

    def conditions(self, name: str) -> NodeConditions | None:
        """Return what a cluster's node was asked to be like, None when its record is gone."""
        record = description.read(layout.layout_of(name))
        return None if record is None else record.conditions

    def _existing(self, name: str) -> layout.Layout:
        found = layout.layout_of(name)
        if not found.root.is_dir():
            raise UsageError(
                f"there is no embedded cluster named {name!r}: python -m clusters list shows which there are"
            )
        return found
