"""Argo CD's Applications, where a cluster has them and one of them tracks the installation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from conformance.doctor.installation import Installation
from conformance.kube import Json

_GROUP: Final = "/apis/argoproj.io/v1alpha1"
#: Both ways of tracking (https://argo-cd.readthedocs.io/en/stable/user-guide/resource_tracking/).
_TRACKING: Final = "argocd.argoproj.io/tracking-id"
_INSTANCE: Final = "app.kubernetes.io/instance"


def applications(installation: Installation, objects: Iterable[Json]) -> list[Json]:
    """Return the Applications that track one of these objects. Raises ApiError; a missing right is remembered."""
    # Which groups there are may be asked by everybody who is logged in (ClusterRole system:discovery).
    if installation.reader.one_if_allowed(_GROUP) is None:
        return []
    objects = list(objects)
    return [
        app
        for app in installation.reader.listed_if_allowed(f"{_GROUP}/applications")
        if _lists(app, installation.namespace, objects) or any(_tracks(app, each) for each in objects)
    ]


def errors(app: Json) -> Iterator[str]:
    """Yield the conditions that say an Application cannot be rendered or synced, such as ComparisonError."""
    for condition in (app.get("status") or {}).get("conditions") or []:
        if condition["type"].endswith("Error"):
            yield f"{_title(app)} {condition['type']}: {condition.get('message', '')}"


def remark(app: Json) -> str:
    """Say how an Application is: synced or not, healthy or not."""
    status = app.get("status") or {}
    sync = (status.get("sync") or {}).get("status", "unknown to Argo CD")
    return f"{_title(app)}: {sync}, {(status.get('health') or {}).get('status', 'health unknown')}"


def _title(app: Json) -> str:
    return f"Application/{app['metadata']['name']}"


def _lists(app: Json, namespace: str, objects: list[Json]) -> bool:
    names = {each["metadata"]["name"] for each in objects}
    kinds = {"Service", "Deployment", "StatefulSet", "DaemonSet"}
    return any(
        each.get("namespace") == namespace and each.get("kind") in kinds and each.get("name") in names
        for each in (app.get("status") or {}).get("resources") or []
    )


def _tracks(app: Json, tracked: Json) -> bool:
    metadata, name = tracked["metadata"], app["metadata"]["name"]
    owner = (metadata.get("annotations") or {}).get(_TRACKING, "").partition(":")[0]
    if owner:
        # An Application outside Argo CD's own namespace is tracked as `namespace_name`.
        return bool(owner in {name, f"{app['metadata'].get('namespace', '')}_{name}"})
    goes_to = ((app.get("spec") or {}).get("destination") or {}).get("namespace")
    return bool((metadata.get("labels") or {}).get(_INSTANCE) == name and goes_to == metadata.get("namespace"))
