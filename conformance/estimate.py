"""How long a plan is likely to take, from durations that are kept as data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from conformance import datafile
from conformance.claims import selects
from conformance.matrix import MATRICES
from conformance.model import Cell, Claim, Record
from conformance.plan import Plan

_DEFAULT = "default"


class Durations(Record):
    """Seconds: to create a cluster by provider, and of a cell by what it is claimed to end in; `default` for others."""

    cluster: dict[str, float]
    cell: dict[str, float]


def load_durations(path: Path = MATRICES / "durations.toml") -> Durations:
    """Read the durations. Raises UsageError."""
    return datafile.read(path, Durations)


def estimate(plan: Plan, claims: Sequence[Claim], durations: Durations, *, workers: int) -> float:
    """Return the seconds a plan takes: clusters and controls one by one, then cells, `workers` at once."""
    clusters = sum(_of(durations.cluster, provider) for provider, _ in plan.clusters)
    controls = sum(_cell(cell, claims, durations) for cell in plan.controls)
    cells = [_cell(cell, claims, durations) for cell in plan.cells]
    # No schedule is better than an even spread, nor than its longest cell.
    return clusters + controls + max(sum(cells) / max(workers, 1), max(cells, default=0.0))


def _cell(cell: Cell, claims: Sequence[Claim], durations: Durations) -> float:
    expected = [_of(durations.cell, claim.expect) for claim in claims if selects(claim, cell)]
    return max(expected, default=durations.cell.get(_DEFAULT, 0.0))


def _of(table: dict[str, float], key: str) -> float:
    return table.get(key, table.get(_DEFAULT, 0.0))
