"""What every report says, before any format: the grid, the totals, the broken claims."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from conformance import money
from conformance.judge import SEVERITY
from conformance.model import Outcome, ProbeResult, PsaLevel, Result, Role, Run

_RANKS: Final = {str(level): rank for rank, level in enumerate(PsaLevel)}
#: Longest piece of evidence that is shown; the file has all of it.
_EVIDENCE: Final = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class Grid:
    """The cells of one cluster, by builder and level."""

    cluster: str
    levels: tuple[str, ...]
    builders: tuple[str, ...]
    cells: Mapping[tuple[str, str], Result]
    #: The cluster's control cell, if it was planned.
    control: Result | None
    #: Empty for a genuine cluster; otherwise what it is instead.
    caveat: str


def grids(results: Iterable[Result]) -> tuple[Grid, ...]:
    """Return a grid for each cluster, sorted, whatever the order of the results."""
    clusters: dict[str, list[Result]] = {}
    for result in results:
        clusters.setdefault(result.cluster, []).append(result)
    return tuple(_grid(cluster, clusters[cluster]) for cluster in sorted(clusters, key=_natural))


def selected(results: Iterable[Result]) -> tuple[Result, ...]:
    """Return the results that count: not those of control cells."""
    return tuple(result for result in results if result.role is Role.SELECTED)


def totals(results: Iterable[Result]) -> dict[Outcome, int]:
    """Count the outcomes that occur among the cells that count, good ones first."""
    counted = Counter(result.outcome for result in selected(results))
    return {outcome: counted[outcome] for outcome in SEVERITY if counted[outcome]}


def with_outcome(results: Iterable[Result], *outcomes: Outcome) -> tuple[Result, ...]:
    """Return the results that count and ended so, in the order of the outcomes."""
    counted = selected(results)
    return tuple(result for outcome in outcomes for result in counted if result.outcome is outcome)


def broken(results: Iterable[Result]) -> tuple[Result, ...]:
    """Return the results that contradict their claims, unexpected support apart."""
    return with_outcome(results, Outcome.UNEXPECTED_FAILURE, Outcome.WRONG_CLASS)


def flaky(results: Iterable[Result]) -> tuple[Result, ...]:
    """Return the results that took more than one try."""
    return tuple(result for result in results if result.tries)


def looked(results: Iterable[Result]) -> tuple[tuple[Result, ProbeResult], ...]:
    """Return every probe of the cells that count, with its cell."""
    return tuple((result, probe) for result in selected(results) for probe in result.probes)


def probe_totals(results: Iterable[Result]) -> dict[Outcome, int]:
    """Count the outcomes that occur among probes, good ones first."""
    counted = Counter(probe.outcome for _, probe in looked(results))
    return {outcome: counted[outcome] for outcome in SEVERITY if counted[outcome]}


def probe_seen(probe: ProbeResult) -> str:
    """Say what a probe found: `holds`, a finding's name, or that it did not look."""
    if probe.outcome is Outcome.NOT_RUN:
        return "not run"
    return probe.found or "nothing"


def seen(result: Result) -> str:
    """Say what was seen of a cell: `builds`, a class, or that it did not run."""
    if result.outcome is Outcome.NOT_RUN:
        return "not run"
    return result.class_ or "builds"


def claimed(result: Result) -> str:
    """Say what is claimed of a cell."""
    return result.claim or "nothing"


def evidence(result: Result, probe: ProbeResult | None = None) -> tuple[str, ...]:
    """Return each piece of evidence, of a cell or a probe of it, as `file:line: text` relative to the run's folder."""
    lines = []
    for piece in result.evidence if probe is None else probe.evidence:
        text = " ".join(piece.text.split())
        shown = text if len(text) <= _EVIDENCE else f"{text[:_EVIDENCE]}..."
        place = f"cells/{result.cell}/{piece.file}" + (f":{piece.line}" if piece.line else "")
        lines.append(f"{place}: {shown}")
    return tuple(lines)


def sentence(results: Sequence[Result]) -> str:
    """Return the totals in a sentence, e.g. `21 cells: 20 as-claimed, 1 wrong-class`."""
    counted = len(selected(results))
    parts = ", ".join(f"{count} {outcome}" for outcome, count in totals(results).items())
    probes = probe_totals(results)
    count = sum(probes.values())
    also = ", ".join(f"{number} {outcome}" for outcome, number in probes.items())
    said = f"; {count} probe{'' if count == 1 else 's'}: {also}" if count else ""
    return f"{counted} cell{'' if counted == 1 else 's'}: {parts or 'none ran'}{said}"


def cost(run: Run) -> str:
    """Say what the clusters of a run cost, with date and source of the prices; empty before any was there."""
    return money.sentence([each.cost for each in run.clusters if each.cost is not None]) if run.clusters else ""


def _grid(cluster: str, results: Sequence[Result]) -> Grid:
    counted = selected(results)
    caveats = sorted({result.provenance.value for result in results} - {"genuine"})
    return Grid(
        cluster=cluster,
        levels=tuple(sorted({result.level for result in counted}, key=level_order)),
        builders=tuple(sorted({result.builder for result in counted})),
        cells={(result.builder, result.level): result for result in counted},
        control=next((result for result in results if result.role is Role.CONTROL), None),
        caveat=", ".join(caveats),
    )


def level_order(level: str) -> tuple[int, list[int]]:
    """Return what sorts levels: by strictness, then by policy version."""
    name, _, version = level.partition("@")
    return _RANKS.get(name, len(_RANKS)), _numbers(version)


def _natural(cluster: str) -> tuple[str, list[int]]:
    name, _, line = cluster.rpartition("-")
    return name, _numbers(line)


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.lstrip("v").split(".") if part.isdigit()]
