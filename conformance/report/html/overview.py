"""The view across clusters: for each builder and level, on how many clusters it builds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from conformance.model import Result
from conformance.report import summary
from conformance.report.html.marks import Mark, mark
from conformance.report.summary import Grid

#: Clusters that are named in a table's cell; more are only counted.
_NAMED: Final = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """One builder at one level on every cluster that has the cell."""

    mark: Mark
    #: The clusters that differ from the mark, with what was seen there; empty when all agree.
    differing: str
    breaks_claim: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Overview:
    """Builders by levels, over all clusters."""

    levels: tuple[str, ...]
    builders: tuple[str, ...]
    spreads: dict[tuple[str, str], Spread]


def across(grids: Sequence[Grid]) -> Overview:
    """Return the view across these clusters."""
    together: dict[tuple[str, str], list[Result]] = {}
    for grid in grids:
        for place, result in grid.cells.items():
            together.setdefault(place, []).append(result)
    return Overview(
        levels=tuple(sorted({level for _, level in together}, key=summary.level_order)),
        builders=tuple(sorted({builder for builder, _ in together})),
        spreads={place: _spread(found) for place, found in together.items()},
    )


def _spread(results: Sequence[Result]) -> Spread:
    seen = [(result.cluster, mark(result)) for result in results]
    built = [each for _, each in seen if each.style == "builds"]
    kinds = {each.words for _, each in seen}
    breaks = any(result.outcome.breaks_claim for result in results)
    if len(kinds) == 1 and len({each.style for _, each in seen}) == 1:
        only = seen[0][1]
        words = f"{only.words} on all {len(seen)}" if len(seen) > 1 else f"{only.words} on {seen[0][0]}"
        return Spread(mark=Mark(symbol=only.symbol, words=words, style=only.style), differing="", breaks_claim=breaks)
    if not built and all(each.style == "refused" for _, each in seen):
        shown = Mark(symbol="✘", words=f"refused on all {len(seen)}, differently", style="refused")
    else:
        shown = Mark(symbol="◐", words=f"builds on {len(built)} of {len(seen)}", style="mixed")
    other = [f"{cluster}: {each.words}" for cluster, each in seen if each.style != "builds"]
    more = f" and {len(other) - _NAMED} more" if len(other) > _NAMED else ""
    return Spread(mark=shown, differing="; ".join(other[:_NAMED]) + more, breaks_claim=breaks)
