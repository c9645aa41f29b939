"""The node pulls what was pushed, by digest, and runs it."""

from __future__ import annotations

from clusters.provider import Capability
from conformance.kube import Json
from conformance.model import SourceKind, Stage
from conformance.stages.context import CellRun, StageFailedError, Step, container_status, waiting_reasons
from conformance.stages.pull import PULL_REASONS
from conformance.waiting import poll

_POD = "pushed-image"


def run(cell_run: CellRun) -> str:
    """Run the pushed image as a restricted-compliant pod in the cell's namespace, and see it end well."""
    image = f"{cell_run.image_name}@{cell_run.pushed_digest}"
    cell_run.kube.create_pod(cell_run.namespace, _manifest(image))
    pod = poll(lambda: _look(cell_run), within=cell_run.timeouts.run_image, what=f"the end of a pod of {image}")
    log = cell_run.kube.logs(cell_run.namespace, _POD, _POD) or ""
    cell_run.note("logs/pushed-image.log", SourceKind.CONTAINER, log, stage=Stage.RUN_IMAGE, container=_POD)
    ended = container_status(pod, _POD).get("state", {}).get("terminated", {})
    if ended.get("exitCode") != 0:
        raise StageFailedError(f"the pushed image ended with {ended.get('exitCode')} ({ended.get('reason', '')})")
    expected = cell_run.fixtures.greeting
    ours = {cell_run.fixtures.git_context, cell_run.fixtures.http_context}
    if cell_run.git_context in ours and expected not in log:
        raise StageFailedError(f"the pushed image did not say {expected!r}")
    return f"{image} ran and ended with 0"


def _look(cell_run: CellRun) -> Json | None:
    pod = cell_run.kube.pod(cell_run.namespace, _POD)
    if pod is None:
        raise StageFailedError("the pod of the pushed image was deleted by somebody else")
    for _, reason, message in waiting_reasons(pod):
        if reason in PULL_REASONS:
            raise StageFailedError(f"{reason}: {message}")
    return pod if pod.get("status", {}).get("phase") in {"Succeeded", "Failed"} else None


def _manifest(image: str) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": _POD, "labels": {"app.kubernetes.io/name": _POD}},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": 0,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 1000,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": _POD,
                    "image": image,
                    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                }
            ],
        },
    }


STEP = Step(
    stage=Stage.RUN_IMAGE,
    summary="the node runs the pushed image as a restricted-compliant pod",
    run=run,
    requires=frozenset({Capability.NODE_PULLS_FIXTURES}),
)
