"""The API server and its controllers accept the pod."""

from __future__ import annotations

from conformance.kube import Json
from conformance.model import Stage
from conformance.stages.context import CellRun, StageFailedError, Step
from conformance.waiting import poll


def run(cell_run: CellRun) -> str:
    """Wait until the release has a pod, or its ReplicaSet or StatefulSet says that it may not create one."""
    refusal, pods = poll(
        lambda: _look(cell_run), within=cell_run.timeouts.admission, what="the release's first pod", every=0.1
    )
    if refusal:
        raise StageFailedError(refusal)
    return f"pod {pods[0]['metadata']['name']} was created"


def _look(cell_run: CellRun) -> tuple[str, list[Json]] | None:
    if pods := cell_run.pods():
        return "", pods
    # A Deployment never fails on apply: refusals exist only as conditions and FailedCreate events.
    for replica_set in cell_run.kube.replica_sets(cell_run.namespace):
        for condition in replica_set.get("status", {}).get("conditions", []):
            if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
                return f"{condition.get('reason', '')}: {condition.get('message', '')}", []
    return _refused_stateful_set(cell_run)


def _refused_stateful_set(cell_run: CellRun) -> tuple[str, list[Json]] | None:
    """Find what a StatefulSet says of a refusal: it has no condition for it, only an event."""
    for event in cell_run.kube.events(cell_run.namespace):
        about = event.get("involvedObject", {}).get("kind")
        message = str(event.get("message") or "")
        # The same reason is given for claims, `Create Claim state-a-0 Pod a-0 in StatefulSet a failed`
        # (kubernetes, pkg/controller/statefulset/stateful_pod_control.go).
        of_pod = message.lower().startswith("create pod ")
        if (about, event.get("reason")) == ("StatefulSet", "FailedCreate") and of_pod:
            return f"{event['reason']}: {message}", []
    return None


STEP = Step(stage=Stage.ADMISSION, summary="the release's pod is created in the labelled namespace", run=run)
