"""The container runtime starts every container."""

from __future__ import annotations

from conformance.errors import WaitError
from conformance.kube import Json
from conformance.model import Stage
from conformance.stages.context import (
    CellRun,
    StageFailedError,
    Step,
    container_status,
    has_died,
    rejection,
    waiting_reasons,
)
from conformance.waiting import poll

#: A container that ran and ended waits with this reason: it has been started.
_STARTED_BEFORE = "CrashLoopBackOff"


def run(cell_run: CellRun) -> str:
    """Wait until builder and client have been started; one that ends right away is the next stage's matter."""
    try:
        return poll(lambda: _look(cell_run), within=cell_run.timeouts.start, what="the start of every container")
    except WaitError as error:
        raise StageFailedError(str(error)) from error


def _look(cell_run: CellRun) -> str | None:
    if (said := rejection(cell_run.pods())) is not None:
        raise StageFailedError(said)
    pod = cell_run.pod()
    for container, reason, message in waiting_reasons(pod):
        if reason != _STARTED_BEFORE:
            raise StageFailedError(f"container {container}: {reason}: {message}")
    for entry in pod.get("status", {}).get("initContainerStatuses", []):
        ended = entry.get("state", {}).get("terminated") or entry.get("lastState", {}).get("terminated")
        if ended and ended.get("exitCode"):
            raise StageFailedError(f"init container {entry['name']} ended with {ended['exitCode']}")
    started = _was_started(pod, cell_run.builder_container)
    started = started and _was_started(cell_run.client_pod(), cell_run.client_container)
    return "every container was started" if started else None


def _was_started(pod: Json, name: str) -> bool:
    return "running" in container_status(pod, name).get("state", {}) or has_died(pod, name)


STEP = Step(stage=Stage.START, summary="the runtime starts every container of the pod", run=run)
