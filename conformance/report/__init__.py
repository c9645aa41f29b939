"""One result, several renderers: one file a format."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

from conformance.artifacts import RunFolder
from conformance.report import html, json, junit, markdown
from conformance.report.html.evidence import around

__all__ = ["HTML", "write_reports"]

#: The page for reviewers, in the run's folder.
HTML: Final = "report.html"


def write_reports(folder: RunFolder) -> tuple[Path, ...]:
    """Write every report of a run into its folder and return their paths. The same run gives the same bytes."""
    run, results = folder.read_run(), folder.complete_results()
    return (
        folder.write_report("matrix.md", markdown.render(results, run)),
        folder.write_report("report.json", json.render(results, run)),
        folder.write_page("junit.xml", junit.render(results, run, partial(around, folder))),
        folder.write_page(HTML, html.render(folder, results, run)),
    )
