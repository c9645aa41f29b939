"""Ask of each cell: does this builder build at this level on this cluster, and if not, who refuses."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance.cells import bench_of, run_cell
from conformance.handover import Handover
from conformance.health import why_broken
from conformance.model import Cell, Outcome, Result
from conformance.plugin import RESULT


def test_cell(cell: Cell, handover: Handover, record_property: Callable[[str, object], None]) -> None:
    """Run one cell. A refused builder that was claimed refused passes; a broken claim fails; the rest is no verdict."""
    cluster = handover.of(cell)
    if (why := cluster.why_not(cell)) is not None:
        pytest.skip(why)
    if (why := why_broken(cell.provider, cluster.cluster_name)) is not None:
        pytest.skip(f"cluster failed: {why}")
    result = run_cell(cell, bench_of(cell, handover.shared, cluster))
    record_property(RESULT, result.model_dump_json(by_alias=True))
    if result.breaks_claim:
        pytest.fail(_sentence(result), pytrace=False)
    if result.outcome in {Outcome.INCONCLUSIVE, Outcome.NOT_RUN}:
        pytest.skip(_sentence(result))


def _sentence(result: Result) -> str:
    lines = [f"{result.outcome}: {result.reason}"]
    lines += [f"{each.file}:{each.line}: {each.text}" for each in result.evidence]
    lines += [
        f"probe {each.probe}: {each.outcome}: {each.reason}" for each in result.probes if each.outcome.breaks_claim
    ]
    return "\n".join(lines)
