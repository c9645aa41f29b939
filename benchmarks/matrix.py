"""How long the default matrix takes, warm, and where the time goes."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from clusters import process
from conformance.artifacts import RunFolder
from conformance.model import Result, Role

_RUNS = 3


def measure() -> Iterator[str]:
    """Run the default matrix several times; yield Markdown tables of seconds."""
    walls: list[float] = []
    clusters: list[float] = []
    results: list[Result] = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(_RUNS):
            started = time.monotonic()
            process.run([sys.executable, "-m", "conformance", "run", f"--run-dir={folder}"], check=False)
            walls.append(time.monotonic() - started)
            run = RunFolder.open(Path(folder) / "latest")
            results += run.read_results()
            clusters += [cluster.seconds for cluster in run.read_run().clusters]
    yield "| what | min s | median s | max s | readings |"
    yield "|---|---|---|---|---|"
    yield _row("whole run, wall clock", walls)
    yield _row("of it the cluster: start to usable", clusters)
    selected = [result for result in results if result.role is Role.SELECTED]
    yield _row("a cell that builds", (each.seconds for each in selected if each.class_ is None))
    yield _row("a cell refused at admission", (each.seconds for each in selected if _stage(each) == "admission"))
    yield _row("a cell whose daemon dies", (each.seconds for each in selected if _stage(each) == "ready"))
    yield ""
    yield "| stage | min s | median s | max s | readings |"
    yield "|---|---|---|---|---|"
    stages: dict[str, list[float]] = {}
    for result in selected:
        for report in result.stages:
            if report.status != "not-run":
                stages.setdefault(report.stage, []).append(report.seconds)
    for name, seconds in stages.items():
        yield _row(name, seconds)


def _stage(result: Result) -> str:
    return str(result.stage or "")


def _row(name: str, readings: Iterable[float]) -> str:
    seconds = sorted(readings)
    if not seconds:
        return f"| {name} | | | | 0 |"
    return f"| {name} | {seconds[0]:.1f} | {statistics.median(seconds):.1f} | {seconds[-1]:.1f} | {len(seconds)} |"
