"""What of a run may be published: conclusive results of genuine clusters, with the evidence they rest on."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from clusters.paths import CHECKOUT
from clusters.provider import Provenance
from conformance.artifacts import RunFolder
from conformance.claims import conditions_of
from conformance.errors import UsageError
from conformance.model import Cell, NodeFacts, Outcome, Result, Role, Run
from conformance.plan import order
from conformance.publish.records import Published, PublishedCell, Shelf, Verdict
from conformance.report import summary
from conformance.report.html.evidence import around
from conformance.report.html.inert import visible
from conformance.report.html.trust import rerun

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+_-]*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Gathered:
    """What a run has to publish, by cluster, and how many of its cells were left out for what reason."""

    shelves: tuple[Shelf, ...]
    left_out: dict[str, int]


def gather(folder: RunFolder) -> Gathered:
    """Return what of a run is published. Raises UsageError when it does not say what it tested, or when."""
    run = _without_place(folder.read_run())
    faults = [
        f"{folder.path}: run.json does not say {what}, so nobody could tell what its results are of: run it again"
        for what, value in (("when it began", run.started), ("which chart it tested", run.chart.name))
        if not value
    ]
    names = (run.chart.name, run.chart.version)
    faults += [f"{folder.path}: {name!r} cannot name a folder" for name in names if name and not _NAME.fullmatch(name)]
    if faults:
        raise UsageError(*faults)
    results = {result.cell: result for result in folder.complete_results()}
    left_out: Counter[str] = Counter()
    clusters: dict[str, list[tuple[PublishedCell, str]]] = {}
    for cell in folder.read_plan():
        if cell.role is Role.CONTROL:
            continue
        result = results[cell.id]
        if (why := _why_not(result)) is not None:
            left_out[why] += 1
            continue
        clusters.setdefault(cell.cluster, []).append(_published(folder, run, cell, result))
    shelves = tuple(_shelf(name, run, cells) for name, cells in sorted(clusters.items()))
    return Gathered(shelves=shelves, left_out=dict(sorted(left_out.items())))


def join(one: Shelf, other: Shelf) -> Shelf:
    """Join what is published of the same cluster: verdicts add up, the newest run's result is shown.

    Of what both say of one run, `other` counts. The order in which runs are published does not matter.
    """
    cells = {each.cell.id: each for each in one}
    excerpts = dict(one.excerpts)
    for each in other:
        former = cells.get(each.cell.id)
        shown = each
        if former is not None:
            verdicts = {verdict.run: verdict for verdict in (*former.verdicts, *each.verdicts)}
            ordered = tuple(sorted(verdicts.values(), key=_age))
            newest = each if ordered[-1].run == each.run else former
            shown = newest.model_copy(update={"verdicts": ordered})
        if former is None or shown.run == each.run:
            excerpts[each.cell.id] = other.excerpts[each.cell.id]
        cells[each.cell.id] = shown
    return _assemble(one.published, (*one.published.provenance, *other.published.provenance), cells, excerpts)


def _assemble(like: Published, runs: Sequence[Run], cells: dict[str, PublishedCell], excerpts: dict[str, str]) -> Shelf:
    needed = {each.run for each in cells.values()}
    kept = {run.run_id: run for run in runs if run.run_id in needed}
    published = Published(
        chart=like.chart,
        version=like.version,
        cluster=like.cluster,
        provenance=tuple(sorted(kept.values(), key=lambda run: (run.started, run.run_id))),
        cells=tuple(sorted(cells.values(), key=lambda each: order(each.cell))),
    )
    return Shelf(published=published, excerpts=dict(sorted(excerpts.items())))


def _without_place(run: Run) -> Run:
    """Return a run that does not say where the checkout was: that reproduces nothing."""
    chart = run.chart.model_copy(update={"origin": run.chart.origin.replace(f"{CHECKOUT}/", "")})
    argv = tuple(word.replace(f"{CHECKOUT}/", "") for word in run.argv)
    return run.model_copy(update={"chart": chart, "argv": argv})


def _why_not(result: Result) -> str | None:
    """Say why a result is not published, or None when it is."""
    if result.outcome in {Outcome.INCONCLUSIVE, Outcome.NOT_RUN}:
        return str(result.outcome)
    return None if result.provenance is Provenance.GENUINE else str(result.provenance)


def _published(folder: RunFolder, run: Run, cell: Cell, result: Result) -> tuple[PublishedCell, str]:
    observation = folder.read_observation(cell.id, texts=False)
    node = observation.node_facts if observation is not None else _node(run, cell.cluster)
    excerpt = "\n".join(_excerpt(folder, result)) + "\n"
    published = PublishedCell(
        cell=cell,
        run=run.run_id,
        result=result,
        conditions=conditions_of(node),
        verdicts=(Verdict(run=run.run_id, started=run.started, class_=result.class_),),
        rerun=rerun(cell, run),
        excerpt=digest(excerpt),
    )
    return published, excerpt


def _node(run: Run, cluster: str) -> NodeFacts:
    return next((each.node for each in run.clusters if each.cluster == cluster), NodeFacts())


def digest(text: str) -> str:
    """Return the SHA-256 of a text's UTF-8."""
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def _excerpt(folder: RunFolder, result: Result) -> Iterator[str]:
    """Yield what a verdict rests on: stages, then each cited line with those around it; log text stays visible text."""
    yield f"{result.cell}: {visible(summary.seen(result))}"
    yield ""
    for stage in result.stages:
        detail = visible(" ".join(stage.detail.split()))
        yield f"{stage.stage}: {stage.status} ({stage.seconds:.1f} s){f': {detail}' if detail else ''}"
    for remark in result.remarks:
        yield f"remark: {visible(' '.join(remark.split()))}"
    for probe in result.probes:
        said = visible(" ".join(f"{probe.detail} {probe.reason}".split()))
        yield f"probe {probe.probe}: {probe.found or 'not run'}, {probe.outcome}{f': {said}' if said else ''}"
    for evidence in result.evidence:
        yield ""
        yield f"{visible(evidence.file)}{f':{evidence.line}' if evidence.line else ''}"
        lines = around(folder, result.cell, evidence) or [(evidence.line, evidence.text)]
        yield from (f"{'>' if number == evidence.line else ' '} {number:6}  {visible(text)}" for number, text in lines)


def _shelf(cluster: str, run: Run, cells: Sequence[tuple[PublishedCell, str]]) -> Shelf:
    narrowed = run.model_copy(update={"clusters": tuple(each for each in run.clusters if each.cluster == cluster)})
    like = Published(chart=run.chart.name, version=run.chart.version, cluster=cluster, provenance=(), cells=())
    by_id = {each.cell.id: each for each, _ in cells}
    return _assemble(like, (narrowed,), by_id, {each.cell.id: text for each, text in cells})


def _age(verdict: Verdict) -> tuple[str, str]:
    return verdict.started, verdict.run
