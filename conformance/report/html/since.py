"""What changed since the last published run: cell by cell, against the newest verdict published before this run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from clusters.paths import CHECKOUT
from conformance.errors import UsageError
from conformance.model import Outcome, Result, Run
from conformance.report import summary

#: Where published results stand.
PUBLISHED: Final = CHECKOUT / "reports"


class _Loose(BaseModel):
    """Only what is compared is read: what else a published record holds may change."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Former(_Loose):
    """What a published run said of a cell."""

    run: str
    #: ISO 8601, UTC.
    started: str
    #: Null when it built.
    class_: str | None = Field(alias="class")

    @property
    def seen(self) -> str:
        """Say what was seen."""
        return self.class_ or "builds"

    @property
    def day(self) -> str:
        """Return the day of the run, ISO 8601."""
        return self.started[:10]


class _Named(_Loose):
    id: str


class _PublishedCell(_Loose):
    cell: _Named
    verdicts: tuple[Former, ...]


class _Published(_Loose):
    chart: str
    version: str
    cells: tuple[_PublishedCell, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Changed:
    """A cell that ended otherwise than when it was last published."""

    result: Result
    former: Former
    #: `regressed`, `supported now` or `refused otherwise`.
    how: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Since:
    """What differs from what is published."""

    #: The published runs it is compared with, newest first: id and day. None: nothing is published to compare with.
    runs: tuple[tuple[str, str], ...]
    changed: tuple[Changed, ...]
    #: How many cells are as they were, were never published, or have no verdict now.
    same: int
    new: int
    open: int


def compare(results: Sequence[Result], run: Run, published: Path) -> Since:
    """Compare the cells that count with the newest verdict of each that a run before this one published.

    Later publications change nothing, so that a run's page stays as it is. Raises UsageError on a damaged record.
    """
    formers = _formers(run, published)
    changed: list[Changed] = []
    counts = {"same": 0, "new": 0, "open": 0}
    for result in summary.selected(results):
        former = formers.get(result.cell)
        if former is None:
            counts["new"] += 1
        elif result.outcome in {Outcome.NOT_RUN, Outcome.INCONCLUSIVE}:
            counts["open"] += 1
        elif result.class_ == former.class_:
            counts["same"] += 1
        else:
            how = "regressed" if former.class_ is None else "refused otherwise" if result.class_ else "supported now"
            changed.append(Changed(result=result, former=former, how=how))
    ours = {result.cell for result in results}
    runs = {(former.started, former.run) for cell, former in formers.items() if cell in ours}
    ranks = ("regressed", "supported now", "refused otherwise")
    return Since(
        runs=tuple((name, started[:10]) for started, name in sorted(runs, reverse=True)),
        changed=tuple(sorted(changed, key=lambda each: ranks.index(each.how))),
        **counts,
    )


def _formers(run: Run, published: Path) -> Mapping[str, Former]:
    """Return the newest verdict of each published cell of the same chart, of any version, from before a run."""
    found: dict[str, Former] = {}
    for record in _read(published, run.chart.name):
        for cell in record.cells:
            for former in cell.verdicts:
                earlier = found.get(cell.cell.id)
                if former.started < run.started and former.run != run.run_id and _newer(former, earlier):
                    found[cell.cell.id] = former
    return found


def _newer(one: Former, other: Former | None) -> bool:
    return other is None or (one.started, one.run) > (other.started, other.run)


def _read(published: Path, chart: str) -> Iterator[_Published]:
    for path in sorted(published.glob("*/*/report.json")):
        try:
            record = _Published.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise UsageError(f"{path}: cannot be read as what `conformance publish` writes: {error}") from error
        if record.chart == chart:
            yield record
