"""The builder answers its client: ready means usable, so neither Ready nor Available is asked."""

from __future__ import annotations

from typing import Final

from conformance.kube import Json
from conformance.model import SourceKind, Stage
from conformance.stages.context import CellRun, StageFailedError, Step, container_status, has_died
from conformance.waiting import Deadline, pause

#: Where the client's last answer is kept.
FILE: Final = "build/ready.txt"


def run(cell_run: CellRun) -> str:
    """Ask the builder until it answers, or until it is dead for a reason that waiting cannot mend."""
    deadline = Deadline(cell_run.timeouts.ready)
    # A client elsewhere may dial for long, and what it says at the end is the evidence.
    within = cell_run.timeouts.dial if cell_run.client_namespace else cell_run.timeouts.command
    answer = ""
    while not deadline.passed:
        pod = cell_run.pod()
        if has_died(pod, cell_run.builder_container) and cell_run.decided():
            cell_run.note(FILE, SourceKind.BUILD, answer, stage=Stage.READY)
            raise StageFailedError(_how_it_ended(cell_run))
        if _may_ask(cell_run, pod, deadline):
            ran = cell_run.in_client(cell_run.driver.hello(), within=within)
            answer = cell_run.answer = ran.output
            if ran.ok and cell_run.driver.is_usable(answer):
                return "the builder answers its client"
            if cell_run.connection is not None and cell_run.decided():
                # What both sides were given says that no later answer will be another.
                cell_run.note(FILE, SourceKind.BUILD, answer, stage=Stage.READY)
                raise StageFailedError(_last_line(answer))
        pause()
    cell_run.note(FILE, SourceKind.BUILD, answer, stage=Stage.READY)
    if has_died(cell_run.pod(), cell_run.builder_container):
        raise StageFailedError(_how_it_ended(cell_run))
    raise StageFailedError(f"the builder was not usable within {cell_run.timeouts.ready:g} s: {_last_line(answer)}")


def _last_line(answer: str) -> str:
    return answer.strip().splitlines()[-1] if answer.strip() else "no answer"


def _may_ask(cell_run: CellRun, pod: Json, deadline: Deadline) -> bool:
    if "running" not in container_status(cell_run.client_pod(), cell_run.client_container).get("state", {}):
        return False
    # A Service has nobody behind it before the daemon is Ready, and a client that dials it may hang for as long as
    # another answer takes. One that never gets Ready is asked all the same.
    ready = bool(container_status(pod, cell_run.builder_container).get("ready"))
    return not cell_run.client_namespace or ready or deadline.remaining < cell_run.timeouts.dial


def _how_it_ended(cell_run: CellRun) -> str:
    status = container_status(cell_run.pod(), cell_run.builder_container)
    ended = status.get("state", {}).get("terminated") or status.get("lastState", {}).get("terminated") or {}
    return f"container {cell_run.builder_container} ended with {ended.get('exitCode', '?')} ({ended.get('reason', '')})"


STEP = Step(stage=Stage.READY, summary="the builder answers its client: a daemon lists its workers", run=run)
