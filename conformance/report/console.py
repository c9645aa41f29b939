"""The report on a terminal: the matrix, then what needs a look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from conformance.artifacts import RunFolder
from conformance.estimate import estimate, load_durations
from conformance.model import Claim, Outcome, Result
from conformance.plan import Plan
from conformance.report import HTML, summary
from conformance.report.summary import Grid
from conformance.standing import side_by_side

_STYLES: Final = {
    Outcome.AS_CLAIMED: "green",
    Outcome.UNCLAIMED: "cyan",
    Outcome.NOT_RUN: "dim",
    Outcome.INCONCLUSIVE: "yellow",
    Outcome.UNEXPECTED_SUPPORT: "bold magenta",
    Outcome.WRONG_CLASS: "bold red",
    Outcome.UNEXPECTED_FAILURE: "bold red",
}
#: Builds, refused, inconclusive, not run: as a terminal shows them, and as one without Unicode does.
_SYMBOLS: Final = {False: ("✔", "✘", "?", "-"), True: ("+", "x", "?", "-")}


def show(folder: RunFolder, console: Console) -> None:
    """Print a run's report: matrix, headlines, broken claims with their evidence, doubts, totals, where the rest is."""
    results = folder.complete_results()
    for grid in summary.grids(results):
        console.print(matrix_table(grid, ascii_only=console.options.ascii_only))
        _show_control(grid, console)
    _show_probes(results, console)
    _show_broken(results, folder, console)
    _show_broken_probes(results, console)
    _show_doubtful(results, console)
    console.print(Text(summary.sentence(results), style="bold"))
    if cost := summary.cost(folder.read_run()):
        console.print(Text(cost))
    console.print(Text(f"everything seen: {folder.path}"))
    page = folder.path / HTML
    if page.is_file():
        console.print(Text(f"for reviewers:   {page}"))


def matrix_table(grid: Grid, *, ascii_only: bool = False) -> Table:
    """Return the matrix of one cluster: a symbol and words in every cell, colour only on top."""
    caveat = f" ({grid.caveat})" if grid.caveat else ""
    table = Table(title=Text(f"{grid.cluster}{caveat}"), title_justify="left")
    table.add_column("builder", no_wrap=True)
    for level in grid.levels:
        table.add_column(level.removesuffix("@latest"), overflow="fold")
    for builder in grid.builders:
        row = [_cell(grid.cells.get((builder, level)), ascii_only=ascii_only) for level in grid.levels]
        table.add_row(Text(builder), *row)
    return table


def show_plan(
    plan: Plan, console: Console, *, claims: Sequence[Claim] = (), workers: int = 1, notes: Sequence[str] = ()
) -> None:
    """Print the cells of a plan and how long it is likely to take with `workers` cells at once."""
    for cell in plan.controls:
        console.print(Text(f"{cell.id}  (control, not counted)", style="dim"))
    for cell in plan.cells:
        console.print(Text(cell.id))
    seconds = estimate(plan, claims, load_durations(), workers=workers)
    cells = f"{len(plan.cells)} cell{'' if len(plan.cells) == 1 else 's'}"
    clusters = f"{len(plan.clusters)} cluster{'' if len(plan.clusters) == 1 else 's'}"
    if (at_once := side_by_side(plan.clusters)) < len(plan.clusters):
        clusters += f", {at_once if at_once > 1 else 'one'} at a time"
    console.print(Text(f"{cells} on {clusters}, about {_duration(seconds)} once everything is built", style="bold"))
    for note in notes:
        console.print(Text(note))


def _cell(result: Result | None, *, ascii_only: bool) -> Text:
    if result is None:
        return Text("")
    builds, refused, doubtful, absent = _SYMBOLS[ascii_only]
    what = summary.seen(result)
    match result.outcome:
        case Outcome.AS_CLAIMED:
            words = f"{builds if result.class_ is None else refused} {what}"
        case Outcome.NOT_RUN:
            words = f"{absent} {what}"
        case Outcome.INCONCLUSIVE:
            words = f"{doubtful} {what} (inconclusive)"
        case _:
            words = f"{builds if result.class_ is None else refused} {what} ({result.outcome})"
    return Text(words, style=_STYLES[result.outcome])


def _show_control(grid: Grid, console: Console) -> None:
    if grid.control is None:
        return
    line = Text("control (not counted): ")
    line.append(_cell(grid.control, ascii_only=console.options.ascii_only))
    line.append(f"  {grid.control.cell}", style="dim")
    console.print(line)
    if grid.control.class_ is not None:
        _show_evidence(grid.control, console)


def _show_broken(results: Sequence[Result], folder: RunFolder, console: Console) -> None:
    for result in summary.with_outcome(results, Outcome.UNEXPECTED_SUPPORT):
        headline = f"UNEXPECTED SUPPORT: {result.cell} builds, though {summary.claimed(result)} is claimed to refuse it"
        console.print(Text(headline, style=_STYLES[result.outcome]))
        console.print(Text(f"    claimed:  {summary.claimed(result)} ({result.claim_source})"))
        console.print(Text(f"    seen:     builds, see {folder.cell(result.cell)}"))
        _show_evidence(result, console)
    for result in summary.broken(results):
        console.print(Text(f"{result.outcome}: {result.cell}", style=_STYLES[result.outcome]))
        source = f" ({result.claim_source})" if result.claim_source else ""
        console.print(Text(f"    claimed:  {summary.claimed(result)}{source}"))
        where = f" at stage {result.stage}" if result.stage else ""
        layer = f", layer {result.layer}" if result.layer else ""
        console.print(Text(f"    seen:     {summary.seen(result)}{where}{layer}"))
        _show_evidence(result, console)


def _show_probes(results: Sequence[Result], console: Console) -> None:
    """Print what probes found, a line for each finding of each probe, and the cells it holds for."""
    found: dict[tuple[str, str, Outcome], list[str]] = {}
    for result, probe in summary.looked(results):
        found.setdefault((probe.probe, summary.probe_seen(probe), probe.outcome), []).append(result.cell)
    for (name, seen, outcome), cells in found.items():
        outside = "" if outcome in {Outcome.AS_CLAIMED, Outcome.NOT_RUN} else f" ({outcome})"
        console.print(Text(f"probe {name}: {seen}{outside}: {', '.join(cells)}", style=_STYLES[outcome]))


def _show_broken_probes(results: Sequence[Result], console: Console) -> None:
    for result, probe in summary.looked(results):
        if probe.outcome.breaks_claim:
            console.print(Text(f"{probe.outcome}: {result.cell}, probe {probe.probe}", style=_STYLES[probe.outcome]))
            console.print(Text(f"    claimed:  {probe.claim} ({probe.claim_source})"))
            console.print(Text(f"    seen:     {probe.found}: {probe.detail}"))
        elif probe.outcome is Outcome.INCONCLUSIVE:
            text = f"{probe.outcome}: {result.cell}, probe {probe.probe}: {probe.reason}"
            console.print(Text(text, style=_STYLES[probe.outcome]))
        else:
            continue
        for line in summary.evidence(result, probe):
            console.print(Text(f"    evidence: {line}"))


def _show_doubtful(results: Sequence[Result], console: Console) -> None:
    for result in summary.with_outcome(results, Outcome.INCONCLUSIVE):
        console.print(Text(f"{result.outcome}: {result.cell}: {result.reason}", style=_STYLES[result.outcome]))
        _show_evidence(result, console)
    shared: dict[tuple[Outcome, str], list[str]] = {}
    for result in summary.with_outcome(results, Outcome.NOT_RUN, Outcome.UNCLAIMED):
        shared.setdefault((result.outcome, result.reason), []).append(result.cell)
    for (outcome, reason), cells in shared.items():
        console.print(Text(f"{outcome}: {reason}: {', '.join(cells)}", style=_STYLES[outcome]))
    for result in summary.flaky(results):
        console.print(Text(f"tried {len(result.tries) + 1} times: {result.cell}: first {', '.join(result.tries)}"))


def _show_evidence(result: Result, console: Console) -> None:
    for line in summary.evidence(result):
        console.print(Text(f"    evidence: {line}"))


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
