"""One result, several renderers: one file a format."""

from __future__ import annotations

from pathlib import Path

from conformance.artifacts import RunFolder
from conformance.report import json, markdown

__all__ = ["write_reports"]


def write_reports(folder: RunFolder) -> tuple[Path, ...]:
    """Write every report of a run into its folder and return their paths. The same run gives the same bytes."""
    run, results = folder.read_run(), folder.complete_results()
    return (
        folder.write_report("matrix.md", markdown.render(results, run)),
        folder.write_report("report.json", json.render(results, run)),
    )
