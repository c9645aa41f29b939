"""The steps of a cell, in order; the first that fails names where a failure surfaced."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from conformance.errors import ApiError, WaitError
from conformance.model import SourceKind, Stage, StageReport, StageStatus
from conformance.stages import (
    admission,
    git,
    local_copy,
    local_run,
    pull,
    push,
    ready,
    run_image,
    schedule,
    start,
)
from conformance.stages.context import CellRun, StageFailedError, Step

STEPS: Final[tuple[Step, ...]] = (
    admission.STEP,
    schedule.STEP,
    pull.STEP,
    start.STEP,
    ready.STEP,
    local_copy.STEP,
    local_run.STEP,
    git.STEP,
    push.STEP,
    run_image.STEP,
)

__all__ = ["STEPS", "CellRun", "StageFailedError", "Step", "run_stages"]


def run_stages(cell_run: CellRun, *, began: Callable[[Stage], None]) -> tuple[StageReport, ...]:
    """Run the stages until one fails; tell `began` of each. Every stage gets a report, also those never reached.

    The API server's errors end a stage like any other failure: classification says whose fault it was.
    """
    reports: list[StageReport] = []
    failed = False
    for step in STEPS:
        missing = step.requires - cell_run.cluster.capabilities
        if failed:
            reports.append(_not_run(step, "an earlier stage failed"))
        elif missing:
            reports.append(_not_run(step, f"the cluster lacks {', '.join(sorted(missing))}"))
        else:
            began(step.stage)
            reports.append(_run(step, cell_run))
            failed = reports[-1].status is StageStatus.FAILED
    return tuple(reports)


def _run(step: Step, cell_run: CellRun) -> StageReport:
    started = time.monotonic()
    try:
        detail, status = step.run(cell_run), StageStatus.PASSED
    except (StageFailedError, WaitError) as error:
        detail, status = str(error), StageStatus.FAILED
    except ApiError as error:
        detail, status = str(error), StageStatus.FAILED
        cell_run.note(f"api/{step.stage}.txt", SourceKind.API, f"{error}\n", stage=step.stage)
    return StageReport(stage=step.stage, status=status, seconds=round(time.monotonic() - started, 2), detail=detail)


def _not_run(step: Step, why: str) -> StageReport:
    return StageReport(stage=step.stage, status=StageStatus.NOT_RUN, seconds=0, detail=why)
