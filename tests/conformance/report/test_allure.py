from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner

from clusters.paths import CHECKOUT
from conformance.artifacts import RunFolder
from conformance.cli import group
from conformance.model import (
    ChartRecord,
    Evidence,
    Outcome,
    ProbeResult,
    Run,
    Stage,
    StageReport,
    StageStatus,
    VerdictKind,
)
from conformance.report import allure
from tests.conformance.records import cell, control, failure, result

HOSTILE = "<b>\x1b[31m \x00 \u202e \ud800"
SCHEMA = CHECKOUT / "tests" / "data" / "allure" / "result.schema.json"


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder.create(tmp_path / "runs")
    made.write_plan([control(), cell(), cell(level="restricted")])
    made.write_run(
        Run(run_id="20261121-0412-ab3f", started="2026-11-21T04:12:00Z", chart=ChartRecord(name="c", version="1"))
    )
    made.append_result(result(control()))
    stages = (
        StageReport(stage=Stage.ADMISSION, status=StageStatus.PASSED, seconds=1.5),
        StageReport(stage=Stage.START, status=StageStatus.FAILED, seconds=2, detail=HOSTILE),
    )
    found = failure()
    made.append_result(
        result(
            class_=found.class_,
            kind=found.kind,
            layer=found.layer,
            stage=Stage.START,
            evidence=(*found.evidence, Evidence(file="pod.json", line=0, text=HOSTILE)),
            stages=stages,
            seconds=4.0,
            tries=("oom-killed",),
        )
    )
    (made.cell(cell().id) / "logs").mkdir(parents=True)
    (made.cell(cell().id) / "logs" / "buildkitd.log").write_text(f"one\n{HOSTILE[:8]}\nfork/exec\nfour\n")
    return made


def read(into: Path) -> dict[str, Any]:
    items = [json.loads(path.read_text(encoding="utf-8")) for path in into.glob("*-result.json")]
    return {item["name"]: item for item in items}


def labels(item: dict[str, Any]) -> dict[str, str]:
    return {label["name"]: label["value"] for label in item["labels"]}


def content(into: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in into.iterdir()}


def test_each_planned_cell_is_a_result_as_the_format_says(folder: RunFolder, tmp_path: Path) -> None:
    allure.write(folder, tmp_path / "allure")
    items = read(tmp_path / "allure")
    assert set(items) == {each.id for each in folder.read_plan()}
    for item in items.values():
        jsonschema.validate(item, json.loads(SCHEMA.read_text()))


def test_cluster_level_and_builder_are_labels_and_stages_are_steps(folder: RunFolder, tmp_path: Path) -> None:
    allure.write(folder, tmp_path / "allure")
    item = read(tmp_path / "allure")[cell().id]
    said = labels(item)
    assert (said["cluster"], said["level"], said["builder"]) == ("embedded-1.35", "baseline@latest", "rootless-unset")
    assert (said["parentSuite"], said["suite"]) == ("embedded-1.35", "baseline@latest")
    assert [(step["name"], step["status"]) for step in item["steps"]] == [("admission", "passed"), ("start", "failed")]
    assert item["stop"] - item["start"] == 4000
    assert item["steps"][1]["start"] - item["steps"][0]["start"] == 1500
    assert item["start"] == 1795234320000
    assert item["statusDetails"]["flaky"] is True
    assert "remedy: " in item["statusDetails"]["trace"]


def test_evidence_is_attached_with_the_lines_around_it(folder: RunFolder, tmp_path: Path) -> None:
    allure.write(folder, tmp_path / "allure")
    first, second = read(tmp_path / "allure")[cell().id]["attachments"]
    assert first["name"] == "logs/buildkitd.log:3"
    text = (tmp_path / "allure" / first["source"]).read_text()
    assert "       1  one\n" in text
    assert ">      3  fork/exec\n" in text
    assert second["name"] == "pod.json"
    assert (tmp_path / "allure" / second["source"]).is_file()


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Outcome.AS_CLAIMED, "passed"),
        (Outcome.UNEXPECTED_SUPPORT, "failed"),
        (Outcome.UNEXPECTED_FAILURE, "failed"),
        (Outcome.WRONG_CLASS, "failed"),
        (Outcome.INCONCLUSIVE, "broken"),
        (Outcome.NOT_RUN, "skipped"),
        (Outcome.UNCLAIMED, "skipped"),
    ],
)
def test_only_what_is_as_claimed_passes(folder: RunFolder, tmp_path: Path, outcome: Outcome, status: str) -> None:
    folder.append_result(result(outcome=outcome))
    allure.write(folder, tmp_path / "allure")
    assert read(tmp_path / "allure")[cell().id]["status"] == status


def test_a_control_that_does_not_build_is_broken(folder: RunFolder, tmp_path: Path) -> None:
    folder.append_result(result(control(), class_="oom-killed"))
    allure.write(folder, tmp_path / "allure")
    assert read(tmp_path / "allure")[control().id]["status"] == "broken"


@pytest.mark.parametrize("kind", VerdictKind)
@pytest.mark.parametrize("outcome", [Outcome.AS_CLAIMED, Outcome.UNEXPECTED_FAILURE])
def test_every_kind_of_verdict_has_one_category_of_its_own(kind: VerdictKind, outcome: Outcome) -> None:
    line = result(outcome=outcome, class_="some-class", kind=kind, reason="[U] said\nsomething [W]", stage=Stage.START)
    told = allure.message(line.model_copy(update={"reason": ""}))
    fits = [
        category["name"]
        for category in allure.categories()
        if re.compile(category["messageRegex"], re.DOTALL).fullmatch(told)
    ]
    broken = ["Claims broken"] if outcome.breaks_claim else []
    assert fits[: len(broken)] == broken
    assert len(fits) == len(broken) + 1


@pytest.mark.parametrize(
    ("outcome", "name"),
    [
        (Outcome.INCONCLUSIVE, "Inconclusive: proves nothing"),
        (Outcome.NOT_RUN, "Did not run"),
        (Outcome.UNCLAIMED, "Unclaimed"),
        (Outcome.UNEXPECTED_SUPPORT, "Claims broken"),
    ],
)
def test_what_is_no_verdict_has_a_category(outcome: Outcome, name: str) -> None:
    told = allure.message(result(outcome=outcome, reason="a\nb"))
    fits = [each["name"] for each in allure.categories() if re.fullmatch(each["messageRegex"], told, re.DOTALL)]
    assert fits == [name]


def test_two_renders_are_alike_and_the_second_replaces_the_first(folder: RunFolder, tmp_path: Path) -> None:
    allure.write(folder, tmp_path / "one")
    before = content(tmp_path / "one")
    allure.write(folder, tmp_path / "one")
    allure.write(folder, tmp_path / "two")
    assert content(tmp_path / "one") == before == content(tmp_path / "two")


def test_the_same_cell_has_one_history_over_runs_and_a_result_of_its_own_in_each(
    folder: RunFolder, tmp_path: Path
) -> None:
    allure.write(folder, tmp_path / "one")
    folder.write_run(folder.read_run().model_copy(update={"run_id": "20261122-0412-ffff"}))
    allure.write(folder, tmp_path / "two")
    one, two = read(tmp_path / "one")[cell().id], read(tmp_path / "two")[cell().id]
    assert one["historyId"] == two["historyId"]
    assert one["uuid"] != two["uuid"]


def test_a_hostile_text_stays_text(folder: RunFolder, tmp_path: Path) -> None:
    allure.write(folder, tmp_path / "allure")
    for name, data in content(tmp_path / "allure").items():
        text = data.decode("utf-8")
        assert "\x1b" not in text, name
        assert "\u202e" not in text, name
        assert "\\u001b" not in text, name


def test_a_run_that_was_killed_before_it_said_what_it_was_can_be_written(folder: RunFolder, tmp_path: Path) -> None:
    (folder.path / "run.json").unlink()
    allure.write(folder, tmp_path / "allure")
    assert {item["start"] for item in read(tmp_path / "allure").values()} == {0}


def test_the_command_writes_them(folder: RunFolder, tmp_path: Path) -> None:
    ended = CliRunner().invoke(group, ["report", str(folder.path), "--allure", str(tmp_path / "allure")])
    assert ended.exit_code == 2, ended.output
    assert len(read(tmp_path / "allure")) == 3
    assert (tmp_path / "allure" / "categories.json").is_file()


def test_a_probe_is_a_step_and_one_that_breaks_its_claim_fails_the_cell(folder: RunFolder, tmp_path: Path) -> None:
    probe = ProbeResult(probe="gc", outcome=Outcome.WRONG_CLASS, found="keeps-all", claim="holds")
    folder.append_result(result(probes=(probe,)))
    allure.write(folder, tmp_path / "allure")
    item = read(tmp_path / "allure")[cell().id]
    jsonschema.validate(item, json.loads(SCHEMA.read_text()))
    assert (item["status"], item["statusDetails"]["message"]) == ("failed", "broken claim: probes: gc keeps-all")
    assert [(step["name"], step["status"]) for step in item["steps"]] == [("probe gc", "failed")]
