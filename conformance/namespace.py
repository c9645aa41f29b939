"""A cell's namespace: created with its PSA labels, usable, and removed by name."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from clusters import tags
from conformance import bounds
from conformance.errors import ApiError
from conformance.kube import Json, Kube
from conformance.model import Level, Prediction
from conformance.waiting import Timeouts, poll

#: Every object the harness creates bears this label with the run's id.
RUN_LABEL: Final = tags.RUN_LABEL
#: Which cell a namespace is of.
CELL_ANNOTATION: Final = "build-conformance.dev/cell"

_MAX_NAME = 63


def name_for(run_id: str, cell_id: str) -> str:
    """Return a namespace name that is unique to run and cell: a name under deletion must never be met again."""
    suffix = hashlib.sha256(f"{run_id}/{cell_id}".encode()).hexdigest()[:8]
    readable = re.sub(r"[^a-z0-9]+", "-", cell_id.lower()).strip("-")
    return f"{readable[: _MAX_NAME - 1 - len(suffix)].rstrip('-')}-{suffix}"


def manifest(name: str, *, level: Level, run_id: str, cell_id: str) -> Json:
    """Return a namespace with all three PSA modes at one level and version (labelled before anything is in it)."""
    modes = ("enforce", "audit", "warn")
    labels = {f"pod-security.kubernetes.io/{mode}": str(level.psa) for mode in modes}
    labels |= {f"pod-security.kubernetes.io/{mode}-version": level.version for mode in modes}
    labels |= {RUN_LABEL: run_id}
    # A label's value may not be as long as a cell's id can be.
    metadata = {"name": name, "labels": labels, "annotations": {CELL_ANNOTATION: cell_id}}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def create(kube: Kube, body: Json, *, bounded: bool = False) -> None:
    """Create a namespace, `bounded` with a quota, and wait until it takes pods. Raises ApiError, WaitError."""
    name = str(body["metadata"]["name"])
    kube.create_namespace(body)
    if bounded:
        bounds.set_on(kube, name)
    wait(kube, name)


def wait(kube: Kube, name: str) -> None:
    """Wait until pods can be created in a new namespace. Raises ApiError, WaitError."""
    poll(
        lambda: kube.service_account(name),
        within=Timeouts().service_account,
        what=f"the default ServiceAccount of namespace {name}",
        every=0.05,
    )


def predict(kube: Kube, namespace: str, pod: Json) -> tuple[Prediction, Json]:
    """Ask the server what it would say to a pod: the prediction, and the pod as it would be admitted.

    Raises ApiError where the answer is no refusal (the server is ill).
    """
    try:
        answer = kube.create_pod(namespace, pod, dry_run=True)
    except ApiError as error:
        if error.status is None or error.status >= 500:  # noqa: PLR2004 - server errors (RFC 9110, section 15.6)
            raise
        return Prediction(admitted=False, message=str(error)), {}
    return Prediction(admitted=True, warnings=answer.warnings), answer.body
