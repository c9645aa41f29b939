"""Hold claims against what is published: each has its evidence, and none is contradicted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from conformance.claims import describe, resolve
from conformance.model import SUPPORTED, Builder, Claim
from conformance.publish.overview import combined
from conformance.publish.records import Published, PublishedCell


def faults(
    claims: Sequence[Claim], everything: Iterable[Published], builders: Mapping[str, Builder]
) -> tuple[str, ...]:
    """Return what is wrong between claims and published cells, each in a sentence that says what to do.

    A cell proves what it shows of the builder as it was then: where the builder has other settings now, nothing.
    """
    return tuple(_faults(claims, tuple(everything), builders))


def _faults(claims: Sequence[Claim], everything: Sequence[Published], builders: Mapping[str, Builder]) -> Iterator[str]:
    proved: set[int] = set()
    charts = sorted({each.chart for each in everything})
    for cell in (cell for chart in charts for cell in combined(each for each in everything if each.chart == chart)):
        if not _is_current(cell, builders):
            continue
        claim = resolve(claims, cell.cell, cell.conditions).claim
        if claim is None:
            continue
        proved.add(id(claim))
        seen = cell.result.class_ or SUPPORTED
        if seen != claim.expect:
            yield (
                f"{claim.origin}: the claim {describe(claim)} is contradicted: run {cell.run} saw {seen} in"
                f" {cell.cell.id}: correct the claim, or mend what broke and publish a new run"
            )
    for claim in claims:
        if not claim.unproven and id(claim) not in proved:
            yield (
                f"{claim.origin}: nothing published shows that {describe(claim)}: publish a run that has such a cell,"
                " or say why none can be in `unproven`"
            )
        if claim.unproven and id(claim) in proved:
            yield f"{claim.origin}: the claim {describe(claim)} is proved by what is published: remove its `unproven`"


def _is_current(cell: PublishedCell, builders: Mapping[str, Builder]) -> bool:
    """Say whether a builder still has the settings that were tested."""
    now = builders.get(cell.cell.builder.name)
    words = {"summary", "origin"}
    return now is not None and now.model_dump(exclude=words) == cell.cell.builder.model_dump(exclude=words)
