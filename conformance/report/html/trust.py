"""Can this run be trusted: control cells, what weakens it, where it came from, how to run it or one cell again."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath
from typing import Final

from clusters.provider import Provenance
from conformance.model import Cell, Outcome, Result, Run
from conformance.options import OPTIONS, Takes
from conformance.report import summary
from conformance.report.html.marks import Mark, mark
from conformance.report.summary import Grid

_PROGRAM: Final = "conformance"
#: Clusters that are named in a sentence; more are only counted.
_NAMED: Final = 4
#: Options of the run that change what a cell does; the others only choose cells or places.
_CARRIED: Final = ("matrix", "git-context", "chart")


@dataclass(frozen=True, kw_only=True, slots=True)
class Control:
    """A cluster's control cell, and what follows from how it ended."""

    cluster: str
    #: The control cell's id; empty where none was planned.
    cell: str
    mark: Mark
    meaning: str
    provenance: str


def controls(grids: Sequence[Grid], run: Run) -> tuple[Control, ...]:
    """Return the control of each cluster."""
    versions = {cluster.cluster: cluster for cluster in run.clusters}
    return tuple(_control(grid, versions[grid.cluster].version if grid.cluster in versions else "") for grid in grids)


def doubts(results: Sequence[Result], run: Run) -> tuple[str, ...]:
    """Return what weakens the run, each in a sentence; none: nothing does."""
    return tuple(_doubts(results, run))


def reproduce(run: Run) -> str:
    """Return the commands that run the same again, one a line; empty when nobody wrote them down."""
    if not run.argv:
        return ""
    program, *words = run.argv
    named = ["uv", "run", _PROGRAM] if _is_ours(PurePath(program)) else [program]
    checkout = f"git checkout {run.git_commit}\n" if run.git_commit else ""
    return checkout + shlex.join([*named, *words])


def _is_ours(program: PurePath) -> bool:
    """Say whether a program is this one, by its script or by `python -m`."""
    return program.name == _PROGRAM or program.parts[-2:] == (_PROGRAM, "__main__.py")


def rerun(cell: Cell, run: Run) -> str:
    """Return the command that runs one cell again, with the options of the run that change what a cell does."""
    words = (
        f"--cluster={cell.provider}",
        f"--kubernetes={cell.kubernetes}",
        *([] if cell.node.is_default else [f"--node={cell.node.name}"]),
        f"--psa={str(cell.level).removesuffix('@latest')}",
        f"--builder={cell.builder.name}",
        *(f"--probe={name}" for name in cell.probes),
        *_carried(run.argv[1:]),
    )
    return shlex.join(["uv", "run", _PROGRAM, "run", *words])


def origin(run: Run) -> tuple[tuple[str, str], ...]:
    """Return what ran: matrix, harness, rules and chart, name and value, as far as it is known."""
    rows = (
        ("matrix", run.matrix),
        ("harness", run.harness),
        ("git commit", f"{run.git_commit}{' with local changes' if run.git_dirty else ''}"),
        ("classification rules", run.rules),
        ("chart", f"{run.chart.name} {run.chart.version}".strip()),
    )
    return tuple((name, value) for name, value in rows if value)


def facts(run: Run) -> tuple[tuple[str, str], ...]:
    """Return everything that took part, name and value, as far as it is known."""
    rows = [
        *origin(run),
        ("chart digest", run.chart.digest),
        ("chart origin", run.chart.origin),
        ("machine", " ".join(filter(None, (run.host.os, run.host.kernel, run.host.architecture)))),
        ("processors and memory", f"{run.host.cpus}, {run.host.memory / 2**30:.1f} GiB" if run.host.cpus else ""),
        ("Python", run.host.python),
        *sorted(run.versions.items()),
    ]
    for cluster in run.clusters:
        rows.append((cluster.cluster, f"{cluster.version} ({cluster.provenance})".strip()))
        rows += [(f"{cluster.cluster}: {name}", value) for name, value in sorted(cluster.facts.items())]
        rows += [
            (f"{cluster.cluster}: image {image.role}", f"{image.reference} {image.digest} ({image.origin})")
            for image in cluster.images
        ]
    return tuple((name, value) for name, value in rows if value)


def banner(results: Sequence[Result]) -> str:
    """Say that cells are not genuine results; empty when all of them are."""
    counted = summary.selected(results)
    kinds = sorted({str(each.provenance) for each in results} - {str(Provenance.GENUINE)})
    if not kinds:
        return ""
    clusters = sorted({each.cluster for each in results if each.provenance is not Provenance.GENUINE})
    count = sum(each.provenance is not Provenance.GENUINE for each in counted)
    named = ", ".join(clusters[:_NAMED]) + (f" and {len(clusters) - _NAMED} more" if len(clusters) > _NAMED else "")
    return (
        f"Not genuine: {count} of {len(counted)} cells are {' or '.join(kinds)} results ({named}). They say nothing"
        " binding about that kind of cluster, and are never published."
    )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _control(grid: Grid, version: str) -> Control:
    result = grid.control
    what = f"Kubernetes {version}, {grid.caveat or Provenance.GENUINE}" if version else grid.caveat or ""
    if result is None:
        absent = Mark(symbol="-", words="no control", style="absent")
        meaning = "its failures prove nothing: no control cell was planned"
        return Control(cluster=grid.cluster, cell="", mark=absent, meaning=meaning, provenance=what)
    seen = mark(result)
    if seen.style == "builds":
        meaning = "the cluster can build, so a refusal is the builder's"
    else:
        meaning = "the cluster was not shown to build: every other failure there is inconclusive"
    return Control(cluster=grid.cluster, cell=result.cell, mark=seen, meaning=meaning, provenance=what)


def _doubts(results: Sequence[Result], run: Run) -> Iterator[str]:
    if run.interrupted:
        yield "The run was interrupted: what did not run says so."
    elif not run.ended:
        yield "The run has no end: it was killed, or it still goes on."
    if run.resumed:
        count, last = len(run.resumed), run.resumed[-1]
        yield f"The run was taken up again {_times(count)}, last at {last}: its cells ran at different times."
    if run.parts:
        yield f"It was joined from {len(run.parts)} runs: {', '.join(run.parts)}."
    if run.git_dirty:
        yield "The harness had local changes: its commit alone does not reproduce this run."
    for cluster in run.clusters:
        if cluster.failure:
            yield f"{cluster.cluster} never came up: {cluster.failure}"
    missing = len(summary.with_outcome(results, Outcome.NOT_RUN))
    if missing:
        yield f"{missing} of {len(summary.selected(results))} planned cells did not run."
    flaky = len(summary.flaky(results))
    if flaky:
        yield f"{flaky} {'cell' if flaky == 1 else 'cells'} took more than one try."


@lru_cache(maxsize=8)
def _carried(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of a run's arguments that every cell depends on."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for option in OPTIONS:
        match option.takes:
            case Takes.FLAG:
                parser.add_argument(option.name, dest=option.name.removeprefix("--"), action="store_true")
            case Takes.ONE | Takes.MANY:
                parser.add_argument(option.name, dest=option.name.removeprefix("--"), action="append")
    try:
        found = vars(parser.parse_known_args(list(words))[0])
    except argparse.ArgumentError:
        return ()
    return tuple(f"--{name}={found[name][-1]}" for name in _CARRIED if found[name])
