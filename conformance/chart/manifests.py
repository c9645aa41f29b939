"""What is read out of rendered objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from conformance.errors import HelmError


def pod_template(manifests: Iterable[Mapping[str, Any]], *, container: str) -> dict[str, Any]:
    """Return, as a Pod, the template of the one workload that has a container of this name; for a dry-run.

    The Pod is named after its workload. Raises HelmError when no workload has the container, or several have.
    """
    found = [
        (workload, template)
        for workload, template in _templates(manifests)
        if any(entry["name"] == container for entry in template.get("spec", {}).get("containers", ()))
    ]
    if len(found) != 1:
        names = ", ".join(f"{workload['kind']}/{workload['metadata']['name']}" for workload, _ in found) or "none"
        raise HelmError(
            f"exactly one rendered workload must have a container named {container!r}; found: {names}. "
            f"Is the adapter the right one for this chart?"
        )
    workload, template = found[0]
    metadata = {"name": workload["metadata"]["name"], **template.get("metadata", {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def _templates(manifests: Iterable[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    for manifest in manifests:
        template = (manifest.get("spec") or {}).get("template")
        if isinstance(template, Mapping):
            yield manifest, template
