"""What the controller hands to the workers: plain data, enough to run any cell of the plan."""

from __future__ import annotations

from pathlib import Path

from clusters.provider import Cluster
from conformance.chart import ChartInfo
from conformance.judge import ControlVerdict
from conformance.model import Cell, Claim, NodeFacts, Record
from conformance.options import Request


class ClusterHandover(Record):
    """One cluster of the run: up, or failed with a reason."""

    #: As in `Cell.cluster`, e.g. `embedded-1.35`.
    name: str
    cluster: Cluster | None = None
    #: Why there is no cluster; its cells become `not-run`.
    failure: str = ""
    #: Seconds it took to create.
    seconds: float = 0
    server_version: str = ""
    node_facts: NodeFacts = NodeFacts()
    control: ControlVerdict | None = None


class Shared(Record):
    """What every cell of the run shares, whatever its cluster."""

    run_id: str
    folder: Path
    request: Request
    chart: ChartInfo
    claims: tuple[Claim, ...]
    helm: str
    git_commit: str


class Handover(Record):
    """Everything a worker needs."""

    shared: Shared
    cells: tuple[Cell, ...]
    clusters: tuple[ClusterHandover, ...]

    def of(self, cell: Cell) -> ClusterHandover:
        """Return the cluster a cell runs on."""
        return next(each for each in self.clusters if each.name == cell.cluster)
