"""Whatever tells why a cluster is as it is: asked of AWS and of its API server, each part for itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from clusters.eks import control_plane, health, kinds, kubeconfig, node_group, record, usable
from clusters.eks.aws import Aws
from clusters.eks.names import Names
from clusters.eks.pace import Pace
from clusters.errors import ClustersError

#: What is asked of the cluster's API server, and the file it goes to.
_OBJECTS: Final = {
    "api/nodes.json": "/api/v1/nodes",
    "api/events.json": "/api/v1/events",
    "api/kube-system-pods.json": "/api/v1/namespaces/kube-system/pods",
}


def collect(aws: Aws, names: Names, into: Path, pace: Pace) -> None:
    """Write what there is; a part that cannot be had leaves a file that says why, and the others go on."""
    into.mkdir(parents=True, exist_ok=True)
    parts: dict[str, Callable[[], object]] = {
        "cluster.json": lambda: control_plane.find(aws, names),
        "node-groups.json": lambda: _groups(aws, names),
        "console.txt": lambda: _consoles(aws, names),
        **{f"ec2/{kind.word}.json": _listing(aws, kind, names) for kind in kinds.TAGGED},
    }
    for file, part in parts.items():
        _write(into / file, part)
    cluster = control_plane.find(aws, names) or {}
    _write(into / "state.txt", lambda: _state(aws, names))
    if cluster.get("endpoint") and cluster.get("certificateAuthority", {}).get("data"):
        server = _server(names, cluster, pace)
        for file, path in _OBJECTS.items():
            _write(into / file, _object(server, path))


def _state(aws: Aws, names: Names) -> str:
    cluster = control_plane.find(aws, names)
    if cluster is None:
        return f"there is no cluster {names.cluster} in {aws.region}\n"
    groups = [(f"node group {name}", node_group.find(aws, names, name) or {}) for name in node_group.groups(aws, names)]
    lines = []
    for what, found in [("control plane", cluster), *groups]:
        lines += [f"{what}: {found.get('status', 'gone')}", *(f"  {issue}" for issue in health.issues(found))]
    return "\n".join(lines) + "\n"


def _groups(aws: Aws, names: Names) -> list[object]:
    if control_plane.find(aws, names) is None:
        return []
    return [node_group.find(aws, names, name) for name in node_group.groups(aws, names)]


def _consoles(aws: Aws, names: Names) -> str:
    """Return what the nodes wrote to their consoles: a node that does not join tells there why."""
    parts = []
    for instance in kinds.of_cluster(aws, kinds.INSTANCE, names.name):
        one = instance["InstanceId"]
        parts += [f"== {one}", str(aws.ec2("get_console_output", InstanceId=one).get("Output", ""))]
    return "\n".join(parts) + "\n"


def _listing(aws: Aws, kind: kinds.Kind, names: Names) -> Callable[[], object]:
    return lambda: kinds.of_cluster(aws, kind, names.name)


def _server(names: Names, cluster: Mapping[str, Any], pace: Pace) -> usable.Server:
    known = record.read(names)
    profile = known.profile if known is not None else None
    region = known.region if known is not None else str(cluster["arn"]).split(":")[3]
    return usable.server_of(cluster, kubeconfig.Tokens(names, region=region, profile=profile, pace=pace), pace)


def _object(server: usable.Server, path: str) -> Callable[[], object]:
    def ask() -> object:
        status, body = server.get(path)
        return f"{path} answers {status}\n{body.decode(errors='replace')}"

    return ask


def _write(file: Path, part: Callable[[], object]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        found = part()
    except (ClustersError, OSError, ValueError) as error:
        found = f"this could not be asked: {error}\n"
    file.write_text(found if isinstance(found, str) else json.dumps(found, indent=1, default=str) + "\n")
