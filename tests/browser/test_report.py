from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import synthetic
from conformance.artifacts import RunFolder
from conformance.model import Evidence, Observation, Outcome, Source, SourceKind
from conformance.report import write_reports
from tests.browser.conftest import Visit
from tests.conformance.records import cell, control, result

pytestmark = pytest.mark.browser

Go = Callable[..., Visit]
CELL = "synthetic-1.35-baseline-v1.22-builder-001"
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)><b id=planted>x</b>"


def refused(folder: RunFolder) -> str:
    return next(each.cell for each in folder.read_results() if each.evidence and each.outcome is Outcome.WRONG_CLASS)


def visible_cells(visit: Visit) -> int:
    found: int = visit.page.locator("table.grid td[data-n]:not(.off)").filter(visible=True).count()
    return found


def test_the_first_screen_answers_what_works_whether_to_trust_it_and_on_what_node(visit: Go, small: RunFolder) -> None:
    page = visit(small).page
    for title in (
        "What changed since the last published run",
        "Which builders work where",
        "Can this run be trusted?",
    ):
        box = page.get_by_role("heading", name=title).bounding_box()
        assert box is not None
        assert box["y"] < 900
    assert page.get_by_text("What kind of node it stands for").is_visible()
    node = page.get_by_text("kernel 6.12.0 · cgroups v2").bounding_box()
    assert node is not None
    assert node["y"] < 900
    assert page.get_by_text("Not genuine: 408 of 408 cells are simulated").is_visible()
    assert page.locator("#age").inner_text().endswith("ago")


def test_filters_narrow_the_tables_say_how_many_match_and_stand_in_the_address(visit: Go, small: RunFolder) -> None:
    seen = visit(small)
    assert seen.count() == "408 cells"
    seen.page.get_by_label("level", exact=True).select_option("baseline@v1.22")
    assert seen.count() == "8 of 408 cells match"
    seen.page.get_by_label("builder", exact=True).select_option("builder-001")
    assert seen.count() == "4 of 408 cells match"
    assert visible_cells(seen) == 4
    assert seen.fragment() == "level=baseline@v1.22&builder=builder-001"
    seen.page.get_by_role("button", name="Show all").click()
    assert seen.fragment() == ""
    assert visible_cells(seen) == 408


def test_clusters_stand_side_by_side_at_a_level_and_what_differs_is_marked(visit: Go, small: RunFolder) -> None:
    seen = visit(small)
    assert seen.page.locator("table.across").is_visible()
    seen.page.get_by_label("clusters side by side").select_option("baseline@v1.22")
    assert seen.fragment() == "at=baseline@v1.22"
    table = seen.page.locator("table.side")
    assert table.locator("thead th").all_inner_texts() == [
        "builder",
        *(f"synthetic-1.{minor}" for minor in range(33, 37)),
    ]
    assert not seen.page.locator("table.across").is_visible()
    results = [each for each in small.read_results() if each.level == "baseline@v1.22"]
    assert table.locator("td").count() == len(results)
    differing = {
        name
        for name in {each.builder for each in results}
        if len(
            {each.class_ if each.outcome is not Outcome.NOT_RUN else "-" for each in results if each.builder == name}
        )
        > 1
    }
    assert table.locator("tr.differs").count() == len(differing) > 0
    table.get_by_role("link").first.click()
    assert seen.page.get_by_role("dialog").is_visible()
    seen.page.keyboard.press("Escape")
    assert seen.fragment() == "at=baseline@v1.22"


def test_free_text_finds_evidence(visit: Go, small: RunFolder) -> None:
    seen = visit(small)
    wanted = sum(bool(each.evidence) for each in small.read_results())
    seen.page.get_by_label("text").fill("LINE 57: Nothing to See")
    seen.page.locator("#count", has_text="match").wait_for()
    assert seen.count() == f"{wanted} of 408 cells match"
    assert seen.fragment() == "q=LINE+57:+Nothing+to+See"


def test_the_address_restores_filters_and_the_open_cell(visit: Go, small: RunFolder) -> None:
    seen = visit(small, f"#builder=builder-001&outcome=as-claimed&cell={CELL}")
    assert seen.page.get_by_role("dialog").get_by_role("heading", name=CELL).is_visible()
    assert seen.page.locator("select[name=builder]").input_value() == "builder-001"
    assert "match" in (seen.page.locator("#count").text_content() or "")
    seen.page.keyboard.press("Escape")
    assert seen.fragment() == "builder=builder-001&outcome=as-claimed"
    seen.page.go_back()


def test_a_cell_opens_to_its_evidence_and_the_evidence_to_its_file(visit: Go, small: RunFolder) -> None:
    name = refused(small)
    seen = visit(small)
    seen.page.locator(f"table.grid a[href='#cell={name}']").click()
    dialog = seen.page.get_by_role("dialog")
    for title in ("Evidence", "Stages", "Run this cell again", "The pod", "Artefacts"):
        assert dialog.get_by_role("heading", name=title).is_visible()
    lines = dialog.locator(".lines li")
    assert lines.count() == 7
    assert dialog.locator(".lines .cited").inner_text().replace("\n", " ").startswith("60")
    assert "asked for false, admitted nothing" in dialog.inner_text()
    assert "null" not in dialog.inner_text()
    link = dialog.get_by_role("link", name="logs/builder.log:60")
    href = link.get_attribute("href")
    assert href == f"cells/{name}/logs/builder.log"
    assert (small.path / href).is_file()
    seen.page.go_back()
    assert not dialog.is_visible()


def test_the_keyboard_alone_reaches_opens_and_leaves_a_cell(visit: Go, small: RunFolder) -> None:
    seen = visit(small)
    keyboard = seen.page.keyboard
    keyboard.press("Tab")
    assert seen.page.evaluate("document.activeElement.textContent") == "Skip to the cells"
    keyboard.press("Enter")
    assert seen.page.evaluate("document.activeElement.id") == "cells"
    for _ in range(20):
        keyboard.press("Tab")
        if seen.page.evaluate("document.activeElement.matches('td a')"):
            break
    href = seen.page.evaluate("document.activeElement.getAttribute('href')")
    assert href.startswith("#cell=")
    keyboard.press("Enter")
    assert seen.page.evaluate("document.activeElement.textContent") == href.removeprefix("#cell=")
    keyboard.press("Escape")
    assert seen.page.evaluate("document.activeElement.getAttribute('href')") == href
    assert seen.fragment() == ""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("opened", [False, True])
def test_axe_finds_nothing(visit: Go, small: RunFolder, axe: str, scheme: str, opened: bool) -> None:  # noqa: FBT001
    seen = visit(small, f"#cell={refused(small)}" if opened else "")
    seen.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type,unused-ignore]
    seen.page.evaluate(axe)
    found = seen.page.evaluate("axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice']})")
    assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []


def test_hostile_texts_are_shown_and_never_run(visit: Go, tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path)
    folder.write_plan([control(), cell()])
    evidence = Evidence(file="logs/x.log", line=2, text=HOSTILE)
    bad = result(
        outcome=Outcome.WRONG_CLASS, class_=HOSTILE, claim="javascript:alert(3)", reason=HOSTILE, evidence=(evidence,)
    )
    folder.append_result(bad.model_copy(update={"remarks": (HOSTILE,), "tries": (HOSTILE,), "candidates": (HOSTILE,)}))
    source = Source(file="logs/x.log", kind=SourceKind.DAEMON, text=f"{HOSTILE}\n{HOSTILE}\n")
    pod = {"spec": {HOSTILE: HOSTILE}}
    seen_of_it = Observation(cell=bad.cell, stages=(), sources=(source,), rendered_pod=pod, admitted_pod={"spec": {}})
    folder.write_observation(bad.cell, seen_of_it)
    write_reports(folder)
    seen = visit(folder, f"#cell={bad.cell}&q=planted")
    assert seen.page.get_by_role("dialog").is_visible()
    assert seen.page.get_by_role("dialog").inner_text().count(HOSTILE) >= 8
    assert seen.page.locator("#planted, img").count() == 0


def test_a_narrow_screen_never_scrolls_sideways(visit: Go, small: RunFolder) -> None:
    page = visit(small).page
    page.set_viewport_size({"width": 380, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
    page.set_viewport_size({"width": 1280, "height": 900})


def test_ten_thousand_cells_open_and_filter(visit: Go, tmp_path: Path) -> None:
    folder = synthetic.write(tmp_path, 10_000, observed_every=50)
    write_reports(folder)
    seen = visit(folder)
    assert seen.count() == "10000 cells"
    seen.page.locator("select[name=outcome]").select_option("wrong-class")
    assert seen.count() == "212 of 10000 cells match"
    seen.page.locator("table.grid td:not(.off) a").filter(visible=True).first.click()
    assert "wrong-class" in seen.page.get_by_role("dialog").inner_text()
