from __future__ import annotations

from dataclasses import replace

import pytest

from conformance import stages
from conformance.errors import ApiError
from conformance.model import SourceKind, Stage, StageStatus
from conformance.stages import STEPS, CellRun, StageFailedError, Step, run_stages


def step(stage: Stage, outcome: Exception | None = None) -> Step:
    def run(_: CellRun) -> str:
        if outcome is not None:
            raise outcome
        return "fine"

    return Step(stage=stage, summary="s", run=run)


def test_every_stage_has_exactly_one_step_in_order() -> None:
    assert [each.stage for each in STEPS] == list(Stage)


def test_stages_after_a_failure_do_not_run_but_are_reported(cell_run: CellRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        stages, "STEPS", (step(Stage.ADMISSION), step(Stage.READY, StageFailedError("dead")), step(Stage.GIT))
    )
    began: list[Stage] = []
    reports = run_stages(cell_run, began=began.append)
    assert [report.status for report in reports] == [StageStatus.PASSED, StageStatus.FAILED, StageStatus.NOT_RUN]
    assert reports[1].detail == "dead"
    assert began == [Stage.ADMISSION, Stage.READY]


def test_an_api_error_ends_a_stage_like_any_failure(cell_run: CellRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "STEPS", (step(Stage.GIT, ApiError("the API server did not answer")),))
    (report,) = run_stages(cell_run, began=lambda _: None)
    assert report.status is StageStatus.FAILED
    # What can be classified is what is kept.
    (source,) = cell_run.sources
    assert (source.kind, source.stage, source.text) == (SourceKind.API, Stage.GIT, "the API server did not answer\n")


def test_what_the_cluster_lacks_is_not_held_against_the_builder(
    cell_run: CellRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell_run.cluster = replace(cell_run.cluster, capabilities=frozenset())
    monkeypatch.setattr(stages, "STEPS", tuple(each for each in STEPS if each.requires))
    (report,) = run_stages(cell_run, began=lambda _: None)
    assert report.status is StageStatus.NOT_RUN
    assert "node-pulls-fixtures" in report.detail
