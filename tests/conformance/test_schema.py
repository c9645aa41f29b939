from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from conformance import schema
from conformance.artifacts import RunFolder
from conformance.model import (
    ClusterRecord,
    Event,
    Observation,
    Prediction,
    Run,
    Source,
    SourceKind,
    Stage,
    StageReport,
    StageStatus,
)
from conformance.report import write_reports
from tests.conformance.records import cell, control, failure, result


def load(name: str) -> Any:  # noqa: ANN401 - a schema is any JSON object
    return json.loads(schema.generate()[f"{name}.schema.json"])


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder.create(tmp_path)
    made.write_plan([control(), cell()])
    made.write_run(Run(run_id=made.run_id, started="now", clusters=(_cluster(),)))
    found = failure()
    made.append_result(result(class_=found.class_, layer=found.layer, kind=found.kind, evidence=found.evidence))
    made.write_observation(
        cell().id,
        Observation(
            cell=cell().id,
            stages=(StageReport(stage=Stage.START, status=StageStatus.FAILED, seconds=1),),
            prediction=Prediction(admitted=True),
            sources=(Source(file="logs/a.log", kind=SourceKind.DAEMON, text="x"),),
            events=(Event(type="Warning", reason="r", message="m", about="Pod/a"),),
        ),
    )
    write_reports(made)
    return made


def _cluster() -> ClusterRecord:
    return ClusterRecord(cluster="embedded-1.35", provider="embedded", kubernetes="1.35")


def test_the_checked_in_schemas_are_fresh() -> None:
    assert schema.stale() == (), "run `python -m conformance.schema`"


def test_a_missing_a_changed_and_a_superfluous_schema_are_stale(tmp_path: Path) -> None:
    schema.write(tmp_path)
    assert schema.stale(tmp_path) == ()
    (tmp_path / "run.schema.json").unlink()
    (tmp_path / "plan.schema.json").write_text("{}")
    (tmp_path / "old.schema.json").write_text("{}")
    assert schema.stale(tmp_path) == ("old.schema.json", "plan.schema.json", "run.schema.json")
    schema.write(tmp_path)
    assert schema.stale(tmp_path) == ()


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("run", "run.json"),
        ("report", "report.json"),
        ("observation", "cells/embedded-1.35-baseline-rootless-unset/observation.json"),
    ],
)
def test_a_runs_files_are_as_their_schemas_say(folder: RunFolder, name: str, file: str) -> None:
    content = json.loads((folder.path / file).read_text())
    jsonschema.validate(content, load(name))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content | {"surprise": 1}, load(name))


@pytest.mark.parametrize("name", ["plan", "results"])
def test_each_line_of_a_runs_files_is_as_its_schema_says(folder: RunFolder, name: str) -> None:
    lines = (folder.path / f"{name}.jsonl").read_text().splitlines()
    assert lines
    for line in lines:
        content = json.loads(line)
        jsonschema.validate(content, load(name))
        del content["schema_version"]
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(content, load(name))


@pytest.mark.parametrize(
    "key",
    [
        *("cell", "cluster", "kubernetes", "level", "builder", "outcome"),
        *("class", "layer", "stage", "claim", "evidence", "seconds"),
    ],
)
def test_a_results_line_always_has_what_other_programs_read(key: str) -> None:
    assert key in load("results")["required"]


def test_check_says_what_is_stale_and_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(schema, "stale", lambda: ("run.schema.json",))
    monkeypatch.setattr(schema, "FOLDER", tmp_path)
    assert schema.main(["--check"]) == 1
    assert "run.schema.json is stale: run `python -m conformance.schema`" in capsys.readouterr().err


def test_check_is_quiet_when_all_is_fresh(capsys: pytest.CaptureFixture[str]) -> None:
    assert schema.main(["--check"]) == 0
    assert capsys.readouterr().err == ""
