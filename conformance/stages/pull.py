"""The pod's images come to the node."""

from __future__ import annotations

from conformance.errors import WaitError
from conformance.kube import Json
from conformance.model import Stage
from conformance.stages.context import CellRun, StageFailedError, Step, rejection, waiting_reasons
from conformance.waiting import poll

#: Reasons of kubelet's image manager (kubernetes pkg/kubelet/images/types.go).
PULL_REASONS = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "ErrImageNeverPull",
        "InvalidImageName",
        "ImageInspectError",
        "RegistryUnavailable",
        "SignatureValidationFailed",
    }
)


def run(cell_run: CellRun) -> str:
    """Wait until no container waits for an image any more."""
    try:
        return poll(lambda: _look(cell_run), within=cell_run.timeouts.pull, what="pulling the images")
    except WaitError as error:
        raise StageFailedError(str(error)) from error


def _look(cell_run: CellRun) -> str | None:
    # A pod that the kubelet rejects never gets so far as to want an image.
    if (said := rejection(cell_run.pods())) is not None:
        raise StageFailedError(said)
    pod = cell_run.pod()
    troubles = waiting_reasons(pod)
    for container, reason, message in troubles:
        if reason in PULL_REASONS:
            raise StageFailedError(f"container {container}: {reason}: {message}")
    # Whatever else holds a container up comes after its image was found: the next stage's matter.
    return "images present" if troubles or _images_present(pod) else None


def _images_present(pod: Json) -> bool:
    statuses = pod.get("status", {}).get("containerStatuses", [])
    return bool(statuses) and all(entry.get("imageID") for entry in statuses)


STEP = Step(stage=Stage.PULL, summary="every image of the pod is on the node", run=run)
