"""`report.json` of a published cluster: what was seen there, run by run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import Field

from conformance.model import SCHEMA_VERSION, Cell, Record, Result, Run

#: Days after which a result is stale: nightly runs and three Kubernetes lines a year leave no excuse for older ones.
STALE_DAYS: Final = 30


class Verdict(Record):
    """What one run said of a cell."""

    run: str
    #: ISO 8601, UTC: when the run began.
    started: str
    #: Null when it built.
    class_: str | None = Field(alias="class")

    @property
    def day(self) -> str:
        """Return the day of the run, ISO 8601."""
        return self.started[:10]


class PublishedCell(Record):
    """A cell as its newest conclusive run saw it, and what every run said."""

    cell: Cell
    #: The run that `result` is from.
    run: str
    result: Result
    #: Conditions of the node that claims may name, as far as they were seen.
    conditions: dict[str, bool | str | int] = Field(default_factory=dict)
    #: Oldest first.
    verdicts: tuple[Verdict, ...]
    #: The command that runs this cell again.
    rerun: str
    #: SHA-256 of its file under `evidence/`.
    excerpt: str

    @property
    def newest(self) -> Verdict:
        """Return the verdict that counts now."""
        return self.verdicts[-1]

    @property
    def supported(self) -> tuple[Verdict, ...]:
        """Return the verdicts of runs in which it built, oldest first."""
        return tuple(verdict for verdict in self.verdicts if verdict.class_ is None)

    @property
    def regressed(self) -> Verdict | None:
        """Return the first refusal since it last built, or None when it builds or never did."""
        if not self.supported or self.newest.class_ is None:
            return None
        return self.verdicts[self.verdicts.index(self.supported[-1]) + 1]


class Published(Record):
    """Everything published of one chart on one kind of cluster."""

    schema_version: int = SCHEMA_VERSION
    chart: str
    version: str
    #: Provider, Kubernetes line and kind of node, as `Cell.cluster` has it.
    cluster: str
    #: Whole records of the runs that cells rest on, oldest first, with this cluster alone.
    provenance: tuple[Run, ...]
    #: In a plan's order.
    cells: tuple[PublishedCell, ...]

    @property
    def folder(self) -> str:
        """Return where it is kept, relative to the folder of everything published."""
        return f"{self.chart}-{self.version}/{self.cluster}"

    @property
    def runs(self) -> tuple[str, ...]:
        """Return the ids of every run that said something, oldest first."""
        found = {(verdict.started, verdict.run) for cell in self.cells for verdict in cell.verdicts}
        return tuple(run for _, run in sorted(found))

    @property
    def newest(self) -> str:
        """Return the day of the newest run, ISO 8601."""
        return max(cell.newest.day for cell in self.cells)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shelf:
    """What is published of one cluster: the record and, by cell, the text of its evidence."""

    published: Published
    excerpts: Mapping[str, str]

    def __iter__(self) -> Iterator[PublishedCell]:
        """Yield its cells."""
        yield from self.published.cells
