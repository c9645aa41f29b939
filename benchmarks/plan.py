"""Measure what needs no cluster: planning 100,000 cells, keeping and reporting 10,000, redacting logs."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from conformance import plan, redact
from conformance.artifacts import RunFolder
from conformance.judge import not_run
from conformance.matrix import MATRICES, Block, Matrix, load_builders
from conformance.model import Result
from conformance.plan import Selection
from conformance.report import console, write_reports

_LINES = ("1.33", "1.34", "1.35", "1.36")
_LEVELS = tuple(f"{psa}@v1.{minor}" for psa in ("privileged", "baseline", "restricted") for minor in range(8, 33))
_CHOICES = {"embedded": _LINES}
_LOG = (
    'time="2026-11-21T01:08:39Z" level=info msg="auto snapshotter: using overlayfs" pid=17\n'
    "#3 resolve registry/base:1@sha256:00d765d9c1d15c41aacd2fa957b856e28a54704d11b745bb1b056e6ae639353a done\n"
)
_LEAK = "fatal: unable to access 'https://ci:hunter2hunter2@git.example/r.git/'\n"
_MEGABYTES = 20


class _Took(NamedTuple):
    """Seconds of the processor, which others on the machine do not change, and of the wall clock."""

    cpu: float
    wall: float


def measure() -> Iterator[str]:
    """Yield the rows of a Markdown table."""
    yield "| what | CPU s | wall s | budget s |"
    yield "|---|---|---|---|"
    big, small = _matrix(334), _matrix(34)
    took = _timed(lambda: plan.make(big, Selection(), _CHOICES))
    cells = plan.make(small, Selection(), _CHOICES)
    yield _row(f"plan {300 * 334:,} cells", took, "2")
    with tempfile.TemporaryDirectory() as scratch:
        folder = RunFolder.create(Path(scratch))
        yield _row(f"write the plan of {len(cells.cells):,} cells", _timed(lambda: folder.write_plan(cells)))
        lines = [not_run(cell, f"the reason of {cell.id}") for cell in cells]
        took = _timed(lambda: _append(folder, lines))
        yield _row(f"append {len(lines):,} results, each synced to the disk", took)
        yield _row(f"write the reports of {len(lines):,} cells", _timed(lambda: write_reports(folder)), "5")
        with Path(scratch, "screen").open("w", encoding="utf-8") as screen:
            took = _timed(lambda: console.show(folder, Console(file=screen, width=200)))
        yield _row(f"show {len(lines):,} cells on a terminal", took, "5")
    for name, every in (("nothing secret", 0), ("a secret in every hundredth line", 100)):
        yield _row(f"redact {_MEGABYTES} MB of log, {name}", _timed(partial(redact.text, _log(every))))


def _row(what: str, took: _Took, budget: str = "") -> str:
    return f"| {what} | {took.cpu:.2f} | {took.wall:.2f} | {budget} |"


def _matrix(builders: int) -> Matrix:
    """Return a matrix of 300 cells for each of a number of builders."""
    known = load_builders(MATRICES / "builders")
    plain = known["rootless-unset"]
    table = {f"builder-{number}": plain.model_copy(update={"name": f"builder-{number}"}) for number in range(builders)}
    table["rootful-privileged"] = known["rootful-privileged"]
    block = Block(clusters=("embedded",), kubernetes=_LINES, levels=_LEVELS, builders=("builder-*",))
    return Matrix(name="big", origin="big", summary="", blocks=(block,), builders=table, folder=MATRICES)


def _append(folder: RunFolder, lines: Iterable[Result]) -> None:
    for line in lines:
        folder.append_result(line)


def _log(every: int) -> str:
    size = _MEGABYTES * 1_000_000
    block = _LOG * (every // 2) + _LEAK if every else _LOG
    return (block * (size // len(block) + 1))[:size]


def _timed(action: Callable[[], object]) -> _Took:
    cpu, wall = time.process_time(), time.perf_counter()
    action()
    return _Took(time.process_time() - cpu, time.perf_counter() - wall)
