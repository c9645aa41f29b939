from __future__ import annotations

from conformance.classify import classify
from conformance.model import Observation, Source, SourceKind, Stage, StageReport, StageStatus


def passed(*stages: Stage) -> tuple[StageReport, ...]:
    return tuple(StageReport(stage=stage, status=StageStatus.PASSED, seconds=1) for stage in stages)


def test_a_cell_that_builds_cites_what_its_last_stage_left() -> None:
    pushed = Source(file="build/push.txt", kind=SourceKind.BUILD, stage=Stage.PUSH, text="#1 DONE\nlast of push\n")
    ran = Source(file="logs/pushed-image.log", kind=SourceKind.CONTAINER, stage=Stage.RUN_IMAGE, text="a\nhello\n")
    observation = Observation(cell="c", stages=passed(Stage.PUSH, Stage.RUN_IMAGE), sources=(pushed, ran))
    (evidence,) = classify(observation).evidence
    assert (evidence.file, evidence.line, evidence.text) == ("logs/pushed-image.log", 2, "hello")


def test_a_stage_that_left_nothing_is_passed_over() -> None:
    pushed = Source(file="build/push.txt", kind=SourceKind.BUILD, stage=Stage.PUSH, text="last of push\n")
    observation = Observation(cell="c", stages=passed(Stage.PUSH, Stage.RUN_IMAGE), sources=(pushed,))
    (evidence,) = classify(observation).evidence
    assert evidence.text == "last of push"
