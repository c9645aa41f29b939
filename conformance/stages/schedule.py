"""A node takes the pod."""

from __future__ import annotations

from conformance.errors import WaitError
from conformance.model import Stage
from conformance.stages.context import CellRun, StageFailedError, Step
from conformance.waiting import poll


def run(cell_run: CellRun) -> str:
    """Wait until the pod has a node; what the scheduler said last is the reason when it gets none."""
    last = ""

    def look() -> str | None:
        nonlocal last
        pod = cell_run.pod()
        for condition in pod.get("status", {}).get("conditions", []):
            if condition["type"] == "PodScheduled" and condition["status"] == "False":
                last = f"{condition.get('reason', '')}: {condition.get('message', '')}"
        node: str | None = pod["spec"].get("nodeName")
        return node

    try:
        node = poll(look, within=cell_run.timeouts.schedule, what="scheduling")
    except WaitError as error:
        raise StageFailedError(last or str(error)) from error
    return f"on node {node}"


STEP = Step(stage=Stage.SCHEDULE, summary="the scheduler finds a node for the pod", run=run)
