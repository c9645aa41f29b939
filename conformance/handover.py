"""What the controller hands to the workers: plain data, enough to run any cell of the plan."""

from __future__ import annotations

from pathlib import Path

from clusters.provider import Cluster
from conformance import consent
from conformance.artifacts import RunFolder
from conformance.chart import ChartInfo
from conformance.judge import ControlVerdict
from conformance.model import Cell, Claim, ClusterKey, NodeFacts, Record, Topology
from conformance.options import Request
from conformance.waiting import pause


class ClusterHandover(Record):
    """One cluster of the run: up, or failed with a reason, or one that cannot be here."""

    key: ClusterKey
    cluster: Cluster | None = None
    #: Why there is no cluster though there should be; its cells become `not-run`.
    failure: str = ""
    #: Why no such cluster can be here, in a few words; its cells become `not-run`.
    impossible: str = ""
    #: Seconds it took to create.
    seconds: float = 0
    server_version: str = ""
    node_facts: NodeFacts = NodeFacts()
    control: ControlVerdict | None = None
    #: When its creation began, in seconds since the epoch, and how long it had stood when it was deleted; 0: it stands.
    began: float = 0
    stood: float = 0
    #: Whether privileged pods may be created though the cluster is not ours.
    allow_privileged: bool = False

    @property
    def name(self) -> str:
        """Return what the cluster is called in tables, e.g. `embedded-1.35`."""
        return self.key.name

    @property
    def cluster_name(self) -> str:
        """Return what the provider calls the cluster; empty when there is none."""
        return self.cluster.name if self.cluster is not None else ""

    def why_not(self, cell: Cell) -> str | None:
        """Say why a cell cannot run here, or None when it can."""
        if self.cluster is None:
            return self.impossible or f"cluster failed: {(self.failure or 'no reason is known').splitlines()[0]}"
        missing = sorted(set(cell.builder.needs) - self.cluster.capabilities)
        if missing:
            return f"the cluster lacks {', '.join(missing)}"
        return consent.why_not(cell, self.cluster.capabilities, allowed=self.allow_privileged)


class Shared(Record):
    """What every cell of the run shares, whatever its cluster."""

    run_id: str
    folder: Path
    request: Request
    charts: dict[Topology, ChartInfo]
    claims: tuple[Claim, ...]
    helm: str
    git_commit: str


class Handover(Record):
    """Everything a worker needs, but for the clusters: each is handed over when it is up, by a file of the run."""

    shared: Shared
    cells: tuple[Cell, ...]

    def of(self, cell: Cell) -> ClusterHandover:
        """Wait until the cluster a cell runs on is up, or never will be, and return it.

        The controller ends that waiting: it writes the file, also when the cluster failed, or ends its workers.
        """
        while (found := read(RunFolder.open(self.shared.folder), cell.key)) is None:
            pause()
        return found


def write(folder: RunFolder, handover: ClusterHandover) -> None:
    """Hand a cluster over to the workers."""
    folder.write_page(_file(handover.key), handover.model_dump_json(by_alias=True, indent=1))


def read(folder: RunFolder, key: ClusterKey) -> ClusterHandover | None:
    """Return a cluster that has been handed over, None before that."""
    path = folder.path / _file(key)
    return ClusterHandover.model_validate_json(path.read_bytes()) if path.exists() else None


def forget(folder: RunFolder) -> None:
    """Take back every cluster of a run's earlier life: none of them stands any more."""
    for path in folder.path.glob(_file_of("*")):
        path.unlink()


def _file(key: ClusterKey) -> str:
    return _file_of(key.name)


def _file_of(name: str) -> str:
    return f"clusters/{name}.json"
