"""What changed since the last published run, as the page says it: against what `publish` really writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance import publish
from conformance.artifacts import RunFolder
from conformance.errors import UsageError
from conformance.model import ChartRecord, Outcome, Result, Run
from conformance.report import html
from conformance.report.html import since
from tests.conformance.records import cell, control, result
from tests.conformance.report.page import Page

CELLS = (cell("a"), cell("b"), cell("c"), cell("d"))


def make(base: Path, day: int, *results: Result, chart: str = "one") -> RunFolder:
    folder = RunFolder.create(base)
    folder.write_plan([control(), *CELLS])
    record = ChartRecord(name=chart, version="1")
    folder.write_run(Run(run_id=folder.run_id, started=f"2026-11-{day:02}T00:00:00Z", chart=record))
    for line in results:
        folder.append_result(line)
    return folder


def put(folder: RunFolder, into: Path) -> None:
    publish.publish(into, publish.gather(folder).shelves)


def compare(folder: RunFolder, published: Path) -> since.Since:
    return since.compare(folder.complete_results(), folder.read_run(), published)


def test_each_cell_is_compared_with_the_newest_verdict_before_the_run(tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    put(make(tmp_path, 1, result(CELLS[0], class_="x"), result(CELLS[1])), reports)
    put(make(tmp_path, 2, result(CELLS[0]), result(CELLS[2], class_="x")), reports)
    now = make(tmp_path, 3, result(CELLS[0], class_="y"), result(CELLS[1]), result(CELLS[3]))
    found = compare(now, reports)
    assert [(each.result.cell, each.former.seen, each.former.day, each.how) for each in found.changed] == [
        (CELLS[0].id, "builds", "2026-11-02", "regressed")
    ]
    assert (found.same, found.new, found.open) == (1, 1, 1)
    assert [day for _, day in found.runs] == ["2026-11-02", "2026-11-01"]


def test_publishing_a_run_or_a_later_one_does_not_change_its_page(tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    put(make(tmp_path, 1, result(CELLS[0])), reports)
    now = make(tmp_path, 2, result(CELLS[0], class_="x"))
    before = compare(now, reports)
    put(now, reports)
    put(make(tmp_path, 3, result(CELLS[0])), reports)
    assert compare(now, reports) == before


def test_another_chart_is_not_compared_with(tmp_path: Path) -> None:
    put(make(tmp_path, 1, result(CELLS[0]), chart="other"), tmp_path / "reports")
    assert compare(make(tmp_path, 2, result(CELLS[0])), tmp_path / "reports").runs == ()


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    path = tmp_path / "reports" / "one-1" / "embedded-1.35" / "report.json"
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    with pytest.raises(UsageError, match=r"report\.json: cannot be read"):
        compare(make(tmp_path, 2), tmp_path / "reports")


def test_the_page_says_what_changed_or_that_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    now = make(tmp_path, 2, result(CELLS[0], outcome=Outcome.UNEXPECTED_FAILURE, class_="x"))
    run, results = now.read_run(), now.complete_results()
    assert "there is nothing to compare with" in Page(html.render(now, results, run, reports)).text
    put(make(tmp_path, 1, result(CELLS[0])), reports)
    page = Page(html.render(now, results, run, reports))
    assert f"regressed {CELLS[0].id} builds (2026-11-01) → x" in page.text
    assert "1 changed, 0 as before, 3 never published" in page.text
