"""The daemon's volume: where it is mounted, how large it may grow, and who makes it the daemon's."""

from __future__ import annotations

from typing import Any, Final, assert_never

from conformance.chart.build_sidecar import CLIENT_GROUP, owner
from conformance.chart.radius.names import BUILDCTL_INIT, STATE, VOLUMES_INIT
from conformance.errors import UsageError
from conformance.model import Builder, VolumePreparation

#: The user of dynamic-rp's image, whom the chart gives the volume of `buildctl` to.
_CLIENTS_USER: Final = 65532


def prepare_volumes(spec: dict[str, Any], daemon: dict[str, Any], builder: Builder) -> None:
    """Mount the state where the builder keeps it and have it prepared as the builder says. Raises UsageError."""
    mount = _named(daemon.get("volumeMounts"), STATE, "container buildkitd mounts no volume")
    mount["mountPath"] = builder.state_directory
    if builder.state_limit:
        volume = _named(spec.get("volumes"), STATE, "the pod has no volume")
        volume["emptyDir"] = {**(volume.get("emptyDir") or {}), "sizeLimit": builder.state_limit}
    match builder.volume_preparation:
        case VolumePreparation.FS_GROUP:
            spec["initContainers"] = [
                each for each in spec.get("initContainers") or () if each.get("name") != VOLUMES_INIT
            ]
            spec["securityContext"] = {"fsGroup": CLIENT_GROUP, **(spec.get("securityContext") or {})}
        case VolumePreparation.INIT_CONTAINER:
            _rewrite(spec, builder, chown_first=False)
        case VolumePreparation.INIT_CONTAINER_CHOWN_FIRST:
            _rewrite(spec, builder, chown_first=True)
        case _:
            assert_never(builder.volume_preparation)


def _rewrite(spec: dict[str, Any], builder: Builder, *, chown_first: bool) -> None:
    """Say the init container's steps anew: the chart's know one owner and one order."""
    init = _named(spec.get("initContainers"), VOLUMES_INIT, "the pod has no init container")
    users = [
        (each.get("securityContext") or {}).get("runAsUser", _CLIENTS_USER)
        for each in spec["initContainers"]
        if each.get("name") == BUILDCTL_INIT
    ]
    user = users[0] if users else _CLIENTS_USER
    modes, owners = [], []
    for mount in init.get("volumeMounts") or ():
        state = mount.get("name") == STATE
        modes.append(f"chmod {'0700' if state else '0755'} {mount['mountPath']}")
        owners.append(f"chown {owner(builder) if state else f'{user}:{user}'} {mount['mountPath']}")
    # Each step for all volumes, as the chart does.
    steps = [*owners, *modes] if chown_first else [*modes, *owners]
    init.pop("args", None)
    init["command"] = ["/bin/sh", "-c", "\n".join(("set -eu", *steps))]


def _named(entries: list[dict[str, Any]] | None, name: str, what: str) -> dict[str, Any]:
    for each in entries or ():
        if each.get("name") == name:
            return each
    raise UsageError(f"{what} named {name!r}: this is not the shape of Radius' chart that is known (v0.59.0 or newer)")
