"""Measure the HTML report of 10,000 cells: how long it takes to render, and how big it is."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks import synthetic
from conformance.report import html

_CELLS: Final = 10_000
_BUDGET_SECONDS: Final = 5


def measure() -> Iterator[str]:
    """Yield the rows of a Markdown table."""
    yield "| what | CPU s | wall s | budget s | MB |"
    yield "|---|---|---|---|---|"
    for name, every in (("every cell with an observation and a log", 1), ("no cell observed", _CELLS * 2)):
        with tempfile.TemporaryDirectory() as scratch:
            folder = synthetic.write(Path(scratch), _CELLS, observed_every=every)
            results, run = folder.complete_results(), folder.read_run()
            cpu, wall = time.process_time(), time.perf_counter()
            page = html.render(folder, results, run)
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        size = len(page.encode()) / 1e6
        yield f"| {_CELLS:,} cells, {name} | {cpu:.2f} | {wall:.2f} | {_BUDGET_SECONDS} | {size:.1f} |"
