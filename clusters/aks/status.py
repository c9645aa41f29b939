"""How a cluster is, in a word."""

from __future__ import annotations

from azure.core.exceptions import ResourceNotFoundError

from clusters.aks import failures
from clusters.aks.arm import Arm
from clusters.aks.names import Names


def state(arm: Arm, names: Names) -> str:
    """Return `ready`, `creating`, `failed`, `deleting`, `half-made` or `gone`. Raises AzureRefusedError."""
    with failures.explained(f"show cluster {names.cluster}"):
        group = arm.group(names.group)
        if group is None:
            return "gone" if arm.group(names.nodes) is None else "half-made"
        if group.properties is not None and group.properties.provisioning_state == "Deleting":
            return "deleting"
        try:
            found = arm.clusters.get(names.group, names.cluster)
        except ResourceNotFoundError:
            return "half-made"
        said = found.properties.provisioning_state if found.properties is not None else None
        return {"Succeeded": "ready", None: "unknown"}.get(said, str(said).lower())
