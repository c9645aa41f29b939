"""Join runs that each had a part of a plan into one. Any order, any grouping, any repetition gives the same."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations
from pathlib import Path
from typing import Final, TypeVar

from pydantic import BaseModel

from conformance.artifacts import RunFolder
from conformance.errors import UsageError
from conformance.judge import SEVERITY, not_run
from conformance.model import Cell, ChartRecord, Outcome, Result, Role, Run
from conformance.plan import order

#: Why a planned cell has no result: its run ended before it, or left nothing at all.
LOST: Final = "the run that had it ended before it"

ValueT = TypeVar("ValueT")


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """A result, and the folder of the cell that it rests on."""

    result: Result
    #: What is in that folder, as a digest: alike folders are alike wherever they are.
    digest: str = ""
    source: Path | None = None

    @property
    def rank(self) -> tuple[int, str, str]:
        """Return what decides between two results of one cell: one that ran counts more, then the worse one."""
        outcome = self.result.outcome
        ran = 0 if outcome is Outcome.NOT_RUN else 1 + SEVERITY.index(outcome)
        return ran, _text(self.result), self.digest


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """What a run has: a plan, results, provenance. Its texts stay in its folder."""

    plan: Mapping[str, Cell]
    results: Mapping[str, Kept]
    #: None: a plan that nobody ran.
    run: Run | None
    #: Logs of clusters, by the name of their folder.
    clusters: Mapping[str, Path]

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Return the planned cells in a plan's order, controls first, whatever order they came in."""
        return tuple(sorted(self.plan.values(), key=lambda cell: (cell.role is Role.SELECTED, order(cell))))


def read(folder: RunFolder) -> Part:
    """Read a run; a planned cell without a result did not run. Raises UsageError when a file is damaged."""
    kept = {
        result.cell: Kept(result=result, digest=_digest(folder.cell(result.cell)), source=folder.cell(result.cell))
        for result in folder.complete_results(LOST)
    }
    run = folder.read_run()
    logs = {path.name: path for path in folder.path.glob("clusters/*") if path.is_dir()}
    return Part(
        plan={cell.id: cell for cell in folder.read_plan()},
        results=kept,
        run=run if run.parts else _as_part(run),
        clusters=logs,
    )


def planned(cells: Iterable[Cell]) -> Part:
    """Return a plan as a part in which nothing ran: what no run has then did not run."""
    known = {cell.id: cell for cell in cells}
    results = {name: Kept(result=not_run(cell, LOST)) for name, cell in known.items()}
    return Part(plan=known, results=results, run=None, clusters={})


def merge(parts: Sequence[Part]) -> Part:
    """Join parts. Raises UsageError with everything that keeps them from being parts of one run."""
    faults = dict.fromkeys(fault for one, other in combinations(parts, 2) for fault in _conflicts(one, other))
    if faults:
        raise UsageError(*faults)
    return reduce(_both, parts)


def write(part: Part, into: Path) -> RunFolder:
    """Write a joined run into a folder, in place of an earlier joined run there.

    Raises UsageError when the folder holds something else.
    """
    if into.exists() and any(into.iterdir()) and not _is_merged(into):
        raise UsageError(f"--into: {into} holds something that `conformance merge` did not write: name another folder")
    draft = into.absolute().with_name(f".{into.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    folder = RunFolder(draft)
    folder.write_plan(part.cells)
    if part.run is not None:
        folder.write_run(part.run)
    for cell in part.cells:
        folder.append_result(part.results[cell.id].result)
        _copy(part.results[cell.id].source, folder.cell(cell.id))
    for name, source in sorted(part.clusters.items()):
        _copy(source, draft / "clusters" / name)
    shutil.rmtree(into, ignore_errors=True)
    draft.rename(into)
    return RunFolder(into)


def _both(one: Part, other: Part) -> Part:
    return Part(
        plan=_union(one.plan, other.plan, _first),
        results=_union(one.results, other.results, lambda left, right: max(left, right, key=lambda kept: kept.rank)),
        run=_runs(one.run, other.run),
        clusters=_union(one.clusters, other.clusters, min),
    )


def _union(
    one: Mapping[str, ValueT], other: Mapping[str, ValueT], choose: Callable[[ValueT, ValueT], ValueT]
) -> dict[str, ValueT]:
    """Return what either has, and of what both have the one chosen."""
    joined = {**one, **other}
    return {key: choose(one[key], other[key]) if key in one and key in other else joined[key] for key in sorted(joined)}


def _runs(one: Run | None, other: Run | None) -> Run | None:
    if one is None or other is None:
        return one or other
    parts = tuple(sorted({*one.parts, *other.parts}))
    clusters = _union(
        {cluster.cluster: cluster for cluster in one.clusters},
        {cluster.cluster: cluster for cluster in other.clusters},
        # One that came up says more than one that did not.
        lambda left, right: min(left, right, key=lambda record: (bool(record.failure), _text(record))),
    )
    return Run(
        run_id=parts[0] if len(parts) == 1 else f"merged-{hashlib.sha256(' '.join(parts).encode()).hexdigest()[:12]}",
        started=min(filter(None, (one.started, other.started)), default=""),
        # A part without an end was killed.
        ended=max(one.ended, other.ended) if one.ended and other.ended else "",
        interrupted=one.interrupted or other.interrupted,
        argv=_same(one.argv, other.argv, ()),
        matrix=_either(one.matrix, other.matrix),
        harness=_either(one.harness, other.harness),
        git_commit=_either(one.git_commit, other.git_commit),
        git_dirty=one.git_dirty or other.git_dirty,
        rules=_either(one.rules, other.rules),
        chart=max(one.chart, other.chart, key=_text),
        charts=tuple(_union(_charts(one), _charts(other), lambda left, right: max(left, right, key=_text)).values()),
        host=_same(one.host, other.host, type(one.host)()),
        versions=_union(one.versions, other.versions, _listed),
        clusters=tuple(clusters.values()),
        parts=parts,
    )


def _conflicts(one: Part, other: Part) -> Iterable[str]:
    """Yield what two runs cannot differ in and be parts of one."""
    for name in sorted(one.plan.keys() & other.plan.keys()):
        if one.plan[name].builder != other.plan[name].builder or one.plan[name].node != other.plan[name].node:
            yield f"{name}: its builder or node has other settings in another of the runs: merge runs of one checkout"
    if one.run is None or other.run is None:
        return
    for what, left, right in (
        ("git commit", one.run.git_commit, other.run.git_commit),
        ("harness", one.run.harness, other.run.harness),
        ("rules", one.run.rules, other.run.rules),
        ("matrix", one.run.matrix, other.run.matrix),
        ("chart", one.run.chart.digest, other.run.chart.digest),
        *(
            (f"chart {name}", chart.digest, _charts(other.run)[name].digest)
            for name, chart in _charts(one.run).items()
            if name in _charts(other.run)
        ),
    ):
        if left and right and left != right:
            yield f"{what}: {left} and {right}: merge runs of one checkout with the same options"


def _as_part(run: Run) -> Run:
    """Return a run as one of several: what it alone was asked for says nothing of the whole."""
    alone = {"parts": (run.run_id,), "argv": _without_shard(run.argv), "options": (), "resumed": ()}
    return run.model_copy(update=alone)


def _without_shard(argv: tuple[str, ...]) -> tuple[str, ...]:
    """Return a command without the option that made it a part: all parts together are the whole."""
    kept: list[str] = []
    skip = False
    for word in argv:
        if not skip and word != "--shard" and not word.startswith("--shard="):
            kept.append(word)
        skip = word == "--shard"
    return tuple(kept)


def _charts(run: Run) -> dict[str, ChartRecord]:
    return {chart.name: chart for chart in run.charts}


def _first(one: Cell, other: Cell) -> Cell:
    """Return one of two cells that differ in nothing that matters, always the same."""
    return min(one, other, key=_text)


def _same(one: ValueT, other: ValueT, different: ValueT) -> ValueT:
    return one if one == other else different


def _either(one: str, other: str) -> str:
    """Return what a killed run may not have come to write; the rest do not differ."""
    return max(one, other)


def _listed(one: str, other: str) -> str:
    return ", ".join(sorted({*one.split(", "), *other.split(", ")}))


def _text(record: BaseModel) -> str:
    return json.dumps(record.model_dump(mode="json", by_alias=True), sort_keys=True)


def _digest(folder: Path) -> str:
    """Return a digest over the names and contents of a folder's files; empty when there is none."""
    digest = hashlib.sha256()
    files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
    for path in files:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder)}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest() if files else ""


def _copy(source: Path | None, target: Path) -> None:
    if source is not None and source.is_dir():
        shutil.copytree(source, target)


def _is_merged(folder: Path) -> bool:
    return (folder / "plan.jsonl").is_file() and (
        not (folder / "run.json").exists() or bool(RunFolder(folder).read_run().parts)
    )
