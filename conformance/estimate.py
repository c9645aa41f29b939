"""How long a plan is likely to take, from durations that are kept as data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from conformance import datafile
from conformance.claims import selects
from conformance.matrix import MATRICES
from conformance.model import Cell, Claim, Record, Role
from conformance.plan import Plan
from conformance.standing import side_by_side

_DEFAULT = "default"


class Durations(Record):
    """Seconds: to create a cluster by provider, and of a cell by what it is claimed to end in; `default` for others."""

    cluster: dict[str, float]
    cell: dict[str, float]
    #: Of a probe by its name, on a cell that builds.
    probe: dict[str, float] = Field(default_factory=dict)


def load_durations(path: Path = MATRICES / "durations.toml") -> Durations:
    """Read the durations. Raises UsageError."""
    return datafile.read(path, Durations)


def estimate(plan: Plan, claims: Sequence[Claim], durations: Durations, *, workers: int) -> float:
    """Return the seconds a plan takes: cluster by cluster its creation, its control, its cells, `workers` at once.

    Where clusters stand side by side, the next one is created while the cells of another run.
    """
    creations = [_of(durations.cluster, key.provider) for key in plan.clusters]
    overlap = side_by_side(plan.clusters) > 1
    total = creations[0] if creations else 0.0
    for key, creation in zip(plan.clusters, [*creations[1:], 0.0], strict=True):
        cells = [cell_seconds(cell, claims, durations) for cell in plan.on(key) if cell.role is Role.SELECTED]
        control = sum(cell_seconds(cell, claims, durations) for cell in plan.on(key) if cell.role is Role.CONTROL)
        # No schedule is better than an even spread, nor than its longest cell.
        spread = max(sum(cells) / max(workers, 1), max(cells, default=0.0))
        total += control + (max(spread, creation) if overlap else spread + creation)
    return total


def cluster_seconds(provider: str, durations: Durations) -> float:
    """Return the seconds a provider takes to create a cluster."""
    return _of(durations.cluster, provider)


def cell_seconds(cell: Cell, claims: Sequence[Claim], durations: Durations) -> float:
    """Return the seconds a cell takes: of several claims that may hold for it, the longest counts.

    Its probes look only where it builds.
    """
    selecting = [claim for claim in claims if selects(claim, cell)]
    probes = sum(_of(durations.probe, name) for name in cell.probes)
    seconds = [_of(durations.cell, claim.expect) + (probes if claim.supported else 0.0) for claim in selecting]
    return max(seconds, default=durations.cell.get(_DEFAULT, 0.0) + probes)


def _of(table: dict[str, float], key: str) -> float:
    return table.get(key, table.get(_DEFAULT, 0.0))
