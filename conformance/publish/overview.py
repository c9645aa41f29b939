"""The matrix over everything published: `reports/README.md`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Final

from conformance.model import Cell, minor_of
from conformance.publish.page import level_name, mark
from conformance.publish.records import STALE_DAYS, Published, PublishedCell, Verdict
from conformance.report import summary
from conformance.report.markdown import code, escape

_AS_OF: Final = re.compile(r"^Ages are counted to (\d{4}-\d\d-\d\d)", re.MULTILINE)


def render(everything: Sequence[Published], as_of: date) -> str:
    """Return the page; the same records and day give the same bytes."""
    lines = [
        "<!-- Written by `conformance publish`; do not edit. -->",
        "# What was seen to work",
        "",
        "Every cell below was run on a genuine cluster and came out conclusive; its evidence is one click away.",
        f"Ages are counted to {as_of.isoformat()}; what is older than {STALE_DAYS} days is stale.",
    ]
    for chart in sorted({each.chart for each in everything}):
        lines += _chart([each for each in everything if each.chart == chart], as_of)
    return "\n".join([*lines, ""])


def as_of_in(text: str) -> date | None:
    """Return the day that a page counts its ages to, None when it does not say."""
    found = _AS_OF.search(text)
    return date.fromisoformat(found[1]) if found is not None else None


def age(published: Published, as_of: date) -> int:
    """Return how many days ago the newest run began."""
    return (as_of - date.fromisoformat(published.newest)).days


def is_stale(published: Published, as_of: date) -> bool:
    """Say whether nothing new was published for so long that it may not hold any more."""
    return age(published, as_of) > STALE_DAYS


def _chart(everything: Sequence[Published], as_of: date) -> Iterator[str]:
    for version in sorted({each.version for each in everything}, key=_version, reverse=True):
        of_version = sorted((each for each in everything if each.version == version), key=_place)
        yield ""
        yield f"## {escape(of_version[0].chart)} {escape(version)}"
        yield ""
        yield from _clusters(of_version, as_of)
        yield from _matrices(of_version)
    yield from _history(everything)


def _clusters(everything: Sequence[Published], as_of: date) -> Iterator[str]:
    yield "| cluster | Kubernetes | node | builds | refused | runs | newest run | age |"
    yield "|---|---|---|---|---|---|---|---|"
    for each in everything:
        records = [cluster for run in each.provenance[-1:] for cluster in run.clusters]
        node = records[0].node if records else None
        facts = [node.os, node.kernel] if node is not None else []
        builds = sum(cell.result.class_ is None for cell in each.cells)
        days = age(each, as_of)
        old = f"**stale**, {days} days" if is_stale(each, as_of) else f"{days} day{'' if days == 1 else 's'}"
        yield (
            f"| [{escape(each.cluster)}]({each.folder}/README.md) | {escape(records[0].version) if records else ''} |"
            f" {escape(', '.join(filter(None, facts)))} | {builds} | {len(each.cells) - builds} | {len(each.runs)} |"
            f" {each.newest} | {old} |"
        )


def _matrices(everything: Sequence[Published]) -> Iterator[str]:
    levels = sorted({cell.result.level for each in everything for cell in each.cells}, key=summary.level_order)
    for level in levels:
        cells = {
            (each.cluster, cell.result.builder): f"[{mark(cell)}]({each.folder}/evidence/{cell.cell.id}.txt)"
            for each in everything
            for cell in each.cells
            if cell.result.level == level
        }
        clusters = [each.cluster for each in everything if any(cluster == each.cluster for cluster, _ in cells)]
        yield ""
        yield f"### {level_name(level)}"
        yield ""
        yield f"| builder | {' | '.join(map(escape, clusters))} |"
        yield f"|---|{'---|' * len(clusters)}"
        for builder in sorted({name for _, name in cells}):
            yield f"| {escape(builder)} | {' | '.join(cells.get((each, builder), '') for each in clusters)} |"


def _history(everything: Sequence[Published]) -> Iterator[str]:
    """Yield what ever built: on which Kubernetes lines it does now, when it first and last did, and what regressed."""
    groups: dict[tuple[str, str, str], list[PublishedCell]] = {}
    for cell in combined(everything):
        where = f"{cell.cell.provider} {'' if cell.cell.node.is_default else cell.cell.node.name}".strip()
        groups.setdefault((where, cell.result.level, cell.result.builder), []).append(cell)
    rows = [row for (where, level, builder), cells in groups.items() for row in _row(where, level, builder, cells)]
    if rows:
        yield ""
        yield "## History"
        yield ""
        yield "| cluster | level | builder | builds on | first supported | last supported | regressed |"
        yield "|---|---|---|---|---|---|---|"
        yield from rows


def _row(where: str, level: str, builder: str, cells: Sequence[PublishedCell]) -> Iterator[str]:
    lines = sorted(cells, key=lambda cell: minor_of(cell.cell.kubernetes))
    seen = sorted(
        (verdict.started, minor_of(cell.cell.kubernetes), verdict.day, cell.cell.kubernetes)
        for cell in lines
        for verdict in cell.supported
    )
    if not seen:
        return
    now = ", ".join(cell.cell.kubernetes for cell in lines if cell.newest.class_ is None) or "nothing"
    (*_, first_day, first), (*_, last_day, last) = seen[0], seen[-1]
    falls = [_fall(cell.cell, cell.regressed) for cell in lines if cell.regressed is not None]
    yield (
        f"| {escape(where)} | {level_name(level)} | {escape(builder)} | {now} |"
        f" {first_day} on {first} | {last_day} on {last} | {'; '.join(falls)} |"
    )


def _fall(cell: Cell, verdict: Verdict) -> str:
    return f"**{cell.kubernetes} since {verdict.day}**: {code(verdict.class_ or '')}"


def combined(everything: Iterable[Published]) -> tuple[PublishedCell, ...]:
    """Return each cell of a chart once, over all its versions: the newest run's result, every run's verdict."""
    found: dict[str, PublishedCell] = {}
    for each in everything:
        for cell in each.cells:
            former = found.get(cell.cell.id)
            if former is None:
                found[cell.cell.id] = cell
                continue
            verdicts = tuple(
                sorted({*former.verdicts, *cell.verdicts}, key=lambda verdict: (verdict.started, verdict.run))
            )
            newest = cell if verdicts[-1].run == cell.run else former
            found[cell.cell.id] = newest.model_copy(update={"verdicts": verdicts})
    return tuple(found[name] for name in sorted(found, key=lambda name: _order(found[name])))


def _order(cell: PublishedCell) -> tuple[str, str, tuple[int, list[int]], str, int]:
    where = cell.cell.provider, "" if cell.cell.node.is_default else cell.cell.node.name
    return *where, summary.level_order(cell.result.level), cell.result.builder, minor_of(cell.cell.kubernetes)


def _place(published: Published) -> tuple[str, int, str]:
    cell = published.cells[0].cell
    return cell.provider, minor_of(cell.kubernetes), "" if cell.node.is_default else cell.node.name


def _version(text: str) -> tuple[list[int], str]:
    return [int(part) for part in re.findall(r"\d+", text.partition("-")[0])], text
