"""The builder answers its client: ready means usable, so neither Ready nor Available is asked."""

from __future__ import annotations

from conformance.model import SourceKind, Stage
from conformance.stages.context import CellRun, StageFailedError, Step, container_status, has_died
from conformance.waiting import Deadline, pause

_FILE = "build/ready.txt"


def run(cell_run: CellRun) -> str:
    """Ask the builder until it answers, or until it is dead for a reason that waiting cannot mend."""
    deadline = Deadline(cell_run.timeouts.ready)
    answer = ""
    while not deadline.passed:
        pod = cell_run.pod()
        if has_died(pod, cell_run.builder_container) and cell_run.decided():
            cell_run.note(_FILE, SourceKind.BUILD, answer, stage=Stage.READY)
            raise StageFailedError(_how_it_ended(cell_run))
        if "running" in container_status(cell_run.client_pod(), cell_run.client_container).get("state", {}):
            ran = cell_run.in_client(cell_run.driver.hello(), within=cell_run.timeouts.command)
            answer = ran.output
            if ran.ok and cell_run.driver.is_usable(answer):
                return "the builder answers its client"
        pause()
    cell_run.note(_FILE, SourceKind.BUILD, answer, stage=Stage.READY)
    if has_died(cell_run.pod(), cell_run.builder_container):
        raise StageFailedError(_how_it_ended(cell_run))
    last = answer.strip().splitlines()[-1] if answer.strip() else "no answer"
    raise StageFailedError(f"the builder was not usable within {cell_run.timeouts.ready:g} s: {last}")


def _how_it_ended(cell_run: CellRun) -> str:
    status = container_status(cell_run.pod(), cell_run.builder_container)
    ended = status.get("state", {}).get("terminated") or status.get("lastState", {}).get("terminated") or {}
    return f"container {cell_run.builder_container} ended with {ended.get('exitCode', '?')} ({ended.get('reason', '')})"


STEP = Step(stage=Stage.READY, summary="the builder answers its client: a daemon lists its workers", run=run)
