"""Whatever tells why a cluster is as it is: what Azure and the cluster itself say of it, half-made ones too."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from azure.core.exceptions import AzureError

from clusters.aks import access, failures
from clusters.aks.arm import Arm
from clusters.aks.folder import Folder
from clusters.aks.limits import Limits
from clusters.aks.names import Names
from clusters.errors import ClustersError

#: File names, and where the API server has their content.
_OBJECTS: Final = {
    "nodes.json": "/api/v1/nodes",
    "events.json": "/api/v1/events",
    "system-pods.json": "/api/v1/namespaces/kube-system/pods",
}

Questions = Mapping[str, Callable[[], Any]]


def from_azure(arm: Arm, names: Names, into: Path) -> None:
    """Write what Azure says of the groups and the cluster; a question that fails is answered by its error."""
    _write(
        {
            "group.json": lambda: arm.groups.get(names.group).as_dict(),
            "nodes-group.json": lambda: arm.groups.get(names.nodes).as_dict(),
            "azure.json": lambda: arm.clusters.get(names.group, names.cluster).as_dict(),
        },
        into,
    )


def from_cluster(folder: Folder, into: Path, limits: Limits) -> None:
    """Write what the cluster's own API server says, where there is a kubeconfig already."""
    if not folder.kubeconfig.is_file():
        (into / "cluster.txt").write_text("there is no kubeconfig: the cluster was not made\n")
        return
    try:
        reached = access.open_access(folder.kubeconfig.read_bytes(), limits.request)
    except ClustersError as error:
        (into / "cluster.txt").write_text(f"{error}\n")
        return
    if not reached.is_ready():
        (into / "cluster.txt").write_text("its API server does not answer\n")
        return
    _write({file: partial(reached.get, path) for file, path in _OBJECTS.items()}, into)


def _write(questions: Questions, into: Path) -> None:
    for file, ask in questions.items():
        try:
            answer = json.dumps(ask(), indent=1, default=str)
        except AzureError as error:
            answer = str(failures.explain(error, f"show {file}"))
        except ClustersError as error:
            answer = str(error)
        (into / file).write_text(answer + "\n")
