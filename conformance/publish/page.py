"""The README of a published cluster: its table, its history, and how to run it again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from conformance.model import Outcome, Run
from conformance.publish.records import Published, PublishedCell
from conformance.report import summary
from conformance.report.html import trust
from conformance.report.markdown import code, escape

_GENERATED: Final = "<!-- Written by `conformance publish`; do not edit. -->"


def render(published: Published) -> str:
    """Return the page; the same record gives the same bytes."""
    return "\n".join(
        [
            _GENERATED,
            f"# {escape(published.chart)} {escape(published.version)} on {escape(published.cluster)}",
            "",
            *_head(published),
            *_matrix(published),
            *_broken(published.cells),
            *_history(published.cells),
            *_reproduce(published.provenance),
            *_origin(published),
            "",
        ]
    )


def mark(cell: PublishedCell) -> str:
    """Return what was seen of a cell, as Markdown: a symbol, words, and whether a claim is broken."""
    verdict = "✅ builds" if cell.result.class_ is None else f"❌ {escape(cell.result.class_)}"
    if cell.result.outcome.breaks_claim:
        return f"{verdict} (**{cell.result.outcome}**)"
    broken = ", ".join(probe.probe for probe in cell.result.probes if probe.outcome.breaks_claim)
    return f"{verdict} (**not as claimed: {escape(broken)}**)" if broken else verdict


def level_name(level: str) -> str:
    """Return a level as Markdown; the version of its policy is named only where it is pinned."""
    return escape(level.removesuffix("@latest"))


def since(cell: PublishedCell) -> str:
    """Say when a cell was first and last seen to build, and since when it does not."""
    if not cell.supported:
        return "never"
    first, last = cell.supported[0].day, cell.supported[-1].day
    return first if first == last else f"{first} to {last}"


def _head(published: Published) -> Iterator[str]:
    builds = sum(cell.result.class_ is None for cell in published.cells)
    runs = len(published.runs)
    yield (
        f"{len(published.cells)} cells: {builds} build, {len(published.cells) - builds} are refused."
        f" {runs} run{'' if runs == 1 else 's'}, the newest on {published.newest}."
    )
    yield "Each cell shows the newest run that had a verdict on it; what stayed inconclusive or never ran is not shown."
    yield f"All of it as data: [report.json](report.json), whose schema is `{_SCHEMA}`."


_SCHEMA: Final = "docs/reference/schema/published.schema.json"


def _matrix(published: Published) -> Iterator[str]:
    levels = sorted({cell.result.level for cell in published.cells}, key=summary.level_order)
    cells = {(cell.result.builder, cell.result.level): cell for cell in published.cells}
    yield ""
    yield f"| builder | {' | '.join(map(level_name, levels))} |"
    yield f"|---|{'---|' * len(levels)}"
    for builder in sorted({name for name, _ in cells}):
        row = [_linked(cells.get((builder, level))) for level in levels]
        yield f"| {escape(builder)} | {' | '.join(row)} |"


def _linked(cell: PublishedCell | None) -> str:
    return f"[{mark(cell)}](evidence/{cell.cell.id}.txt)" if cell is not None else ""


def _broken(cells: Sequence[PublishedCell]) -> Iterator[str]:
    found = [cell for cell in cells if cell.result.breaks_claim or cell.result.outcome is Outcome.UNCLAIMED]
    if found:
        yield ""
        yield "## Not as claimed"
        yield ""
    for cell in found:
        result = cell.result
        yield f"- {code(result.cell)}: {result.outcome}; claimed: {code(summary.claimed(result))}"
        for probe in result.probes:
            if probe.outcome.breaks_claim:
                yield f"  - probe {escape(probe.probe)}: {code(probe.found or '')}; claimed: {code(probe.claim or '')}"


def _history(cells: Sequence[PublishedCell]) -> Iterator[str]:
    yield ""
    yield "## History"
    yield ""
    yield "| cell | now | runs | seen to build | regressed |"
    yield "|---|---|---|---|---|"
    for cell in cells:
        fall = f"**since {cell.regressed.day}**" if cell.regressed is not None else ""
        yield f"| {code(cell.cell.id)} | {mark(cell)} | {len(cell.verdicts)} | {since(cell)} | {fall} |"


def _reproduce(runs: Sequence[Run]) -> Iterator[str]:
    yield ""
    yield "## Reproduce"
    for run in runs:
        yield ""
        yield f"Run {code(run.run_id)} of {run.started[:10]}:"
        if run.git_dirty:
            yield "the harness had local changes, so its commit alone does not reproduce it."
        yield ""
        yield "```console"
        yield from (trust.reproduce(run) or "uv run conformance run").splitlines()
        yield "```"


def _origin(published: Published) -> Iterator[str]:
    for run in published.provenance:
        yield ""
        yield f"## Provenance of run {escape(run.run_id)}"
        yield ""
        yield "| what | value |"
        yield "|---|---|"
        for cluster in run.clusters:
            node = cluster.node
            facts = {
                "kernel": node.kernel,
                "operating system": node.os,
                "architecture": node.architecture,
                "container runtime": node.container_runtime,
                "cgroup": f"v{node.cgroup_version}" if node.cgroup_version else None,
                "AppArmor": _yes(node.apparmor),
                "seccompDefault": _yes(node.seccomp_default),
                "user ids of a pod": node.ids_per_pod,
            }
            yield from (f"| {name} | {escape(str(value))} |" for name, value in facts.items() if value is not None)
        yield from (f"| {escape(name)} | {escape(value)} |" for name, value in trust.facts(run))


def _yes(value: bool | None) -> str | None:  # noqa: FBT001 - it is the value that is put into words
    return None if value is None else "yes" if value else "no"
