"""The report as JSON, for other programs."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pydantic import Field

from conformance.model import SCHEMA_VERSION, Outcome, Record, Result, Role, Run
from conformance.report import summary


class Report(Record):
    """`report.json`: a run, its totals and its results in the plan's order, control cells apart."""

    schema_version: int = SCHEMA_VERSION
    run: Run
    #: How many cells ended how; control cells are not counted.
    totals: dict[Outcome, int] = Field(default_factory=dict)
    controls: tuple[Result, ...] = ()
    results: tuple[Result, ...] = ()


def render(results: Sequence[Result], run: Run) -> str:
    """Return the report as indented JSON that ends with a line end."""
    report = Report(
        run=run,
        totals=summary.totals(results),
        controls=tuple(result for result in results if result.role is Role.CONTROL),
        results=summary.selected(results),
    )
    return pretty(report)


def pretty(record: Record) -> str:
    """Return a record as indented JSON; what UTF-8 cannot hold (half a surrogate pair) is JSON's own escape."""
    text = json.dumps(record.model_dump(mode="json", by_alias=True), indent=2, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode() + "\n"
