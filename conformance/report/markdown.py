"""The report as Markdown that GitHub shows as it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from conformance.model import Outcome, Result, Run
from conformance.report import summary
from conformance.report.summary import Grid

_SYMBOLS: Final = {True: "✅", False: "❌"}


def render(results: Sequence[Result], run: Run) -> str:
    """Return the report; the same results and run give the same bytes."""
    return "\n".join(
        [
            *_head(results, run),
            *_headlines(results),
            *(line for grid in summary.grids(results) for line in _table(grid, run)),
            *_probes(results),
            *_broken(results),
            *_broken_probes(results),
            *_doubtful(results),
            *_flakes(results),
            *_provenance(run),
            "",
        ]
    )


def _head(results: Sequence[Result], run: Run) -> Iterator[str]:
    yield f"# Build conformance, run {escape(run.run_id)}"
    yield ""
    yield f"{escape(summary.sentence(results))}."
    if cost := summary.cost(run):
        yield f"{escape(cost)}."
    if run.interrupted:
        yield "The run was interrupted: cells that did not run say so."


def _headlines(results: Sequence[Result]) -> Iterator[str]:
    for result in summary.with_outcome(results, Outcome.UNEXPECTED_SUPPORT):
        yield ""
        yield "> [!IMPORTANT]"
        yield (
            f"> **Unexpected support:** {code(result.cell)} builds, though {code(summary.claimed(result))}"
            " is claimed to refuse it."
        )


def _table(grid: Grid, run: Run) -> Iterator[str]:
    yield ""
    yield f"## {escape(grid.cluster)}{f' ({grid.caveat})' if grid.caveat else ''}"
    yield ""
    for cluster in run.clusters:
        if cluster.cluster == grid.cluster and cluster.failure:
            yield f"The cluster never came up: {escape(cluster.failure)}"
            yield ""
    yield f"| builder | {' | '.join(map(escape, grid.levels))} |"
    yield f"|---|{'---|' * len(grid.levels)}"
    for builder in grid.builders:
        row = [_cell(grid.cells.get((builder, level))) for level in grid.levels]
        yield f"| {escape(builder)} | {' | '.join(row)} |"
    if grid.control is not None:
        yield ""
        yield f"Control (not counted): {code(grid.control.cell)}: {_cell(grid.control)}"


def _cell(result: Result | None) -> str:
    if result is None:
        return ""
    what = escape(summary.seen(result))
    match result.outcome:
        case Outcome.AS_CLAIMED:
            return f"{_SYMBOLS[result.class_ is None]} {what}"
        case Outcome.NOT_RUN:
            return "⚪ not run"
        case Outcome.INCONCLUSIVE:
            return f"❔ {what} (inconclusive)"
        case _:
            return f"{_SYMBOLS[result.class_ is None]} {what} (**{result.outcome}**)"


def _probes(results: Sequence[Result]) -> Iterator[str]:
    every = summary.looked(results)
    if not every:
        return
    yield ""
    yield "## Probes"
    yield ""
    yield "| cell | probe | found | outcome | detail |"
    yield "|---|---|---|---|---|"
    for result, probe in every:
        what = f"{escape(probe.probe)} | {escape(summary.probe_seen(probe))} | {escape(probe.outcome)}"
        yield f"| {escape(result.cell)} | {what} | {escape(probe.detail or probe.reason)} |"


def _broken_probes(results: Sequence[Result]) -> Iterator[str]:
    found = [(result, probe) for result, probe in summary.looked(results) if probe.outcome.breaks_claim]
    if not found:
        return
    yield ""
    yield "## Broken claims of probes"
    for result, probe in found:
        yield ""
        yield f"### {escape(result.cell)}, probe {escape(probe.probe)}: {probe.outcome}"
        yield ""
        yield f"- claimed: {code(probe.claim or 'nothing')} ({escape(probe.claim_source)})"
        yield f"- seen: {code(summary.probe_seen(probe))}: {escape(probe.detail)}"
        for line in summary.evidence(result, probe):
            yield f"- evidence: {code(line)}"


def _broken(results: Sequence[Result]) -> Iterator[str]:
    found = (*summary.with_outcome(results, Outcome.UNEXPECTED_SUPPORT), *summary.broken(results))
    if not found:
        return
    yield ""
    yield "## Broken claims"
    for result in found:
        yield ""
        yield f"### {escape(result.cell)}: {result.outcome}"
        yield ""
        source = f" ({escape(result.claim_source)})" if result.claim_source else ""
        yield f"- claimed: {code(summary.claimed(result))}{source}"
        at = f" at stage {code(result.stage)}" if result.stage else ""
        layer = f", layer {code(result.layer)}" if result.layer else ""
        yield f"- seen: {code(summary.seen(result))}{at}{layer}"
        for line in summary.evidence(result):
            yield f"- evidence: {code(line)}"
        for remark in result.remarks:
            yield f"- {escape(remark)}"


def _doubtful(results: Sequence[Result]) -> Iterator[str]:
    for outcome, title in (
        (Outcome.INCONCLUSIVE, "Inconclusive"),
        (Outcome.NOT_RUN, "Not run"),
        (Outcome.UNCLAIMED, "Unclaimed"),
    ):
        found = summary.with_outcome(results, outcome)
        if found:
            yield ""
            yield f"## {title}"
            yield ""
        for result in found:
            yield f"- {code(result.cell)}: {escape(result.reason or summary.seen(result))}"
            for line in summary.evidence(result):
                yield f"  - evidence: {code(line)}"


def _flakes(results: Sequence[Result]) -> Iterator[str]:
    found = summary.flaky(results)
    if found:
        yield ""
        yield "## Tried more than once"
        yield ""
    for result in found:
        yield f"- {code(result.cell)}: earlier tries ended in {', '.join(map(code, result.tries))}"


def _provenance(run: Run) -> Iterator[str]:
    chart = f"{run.chart.name} {run.chart.version} {run.chart.digest}".strip()
    rows = [
        ("started", run.started),
        ("ended", run.ended),
        ("command", " ".join(run.argv)),
        ("matrix", run.matrix),
        ("harness", run.harness),
        ("git commit", f"{run.git_commit}{' with local changes' if run.git_dirty else ''}"),
        ("rules", run.rules),
        ("chart", chart),
        ("host", " ".join(filter(None, (run.host.os, run.host.kernel, run.host.architecture)))),
    ]
    for cluster in run.clusters:
        node = cluster.node
        facts = [cluster.version, cluster.provenance, node.os, node.kernel, node.container_runtime]
        rows.append((cluster.cluster, ", ".join(str(fact) for fact in facts if fact)))
        rows += [
            (f"{cluster.cluster} {image.role}", f"{image.reference} {image.digest} ({image.origin})")
            for image in cluster.images
        ]
    rows += sorted(run.versions.items())
    known = [(name, value) for name, value in rows if value]
    if known:
        yield ""
        yield "## Provenance"
        yield ""
        yield "| what | value |"
        yield "|---|---|"
    for name, value in known:
        yield f"| {escape(name)} | {escape(value)} |"


def escape(text: str) -> str:
    """Escape what Markdown or HTML would take for markup; line ends become spaces."""
    flat = " ".join(text.split())
    for mark in "\\`*_[]<>|~#":
        flat = (
            flat.replace(mark, f"\\{mark}")
            if mark not in "<>"
            else flat.replace(mark, {"<": "&lt;", ">": "&gt;"}[mark])
        )
    return flat


def code(text: str) -> str:
    """Return a text as code, outside of tables, fenced by more backticks than it holds."""
    flat = " ".join(text.split())
    longest, run = 0, 0
    for character in flat:
        run = run + 1 if character == "`" else 0
        longest = max(longest, run)
    fence = "`" * (longest + 1)
    pad = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{fence}{pad}{flat}{pad}{fence}"
