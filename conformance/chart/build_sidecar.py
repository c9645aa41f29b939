"""The adapter of our own chart, charts/build-sidecar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, assert_never

from clusters.provider import Image, ImageRole
from conformance.chart.images import reference
from conformance.model import Builder, Topology, Transport, VolumePreparation

#: The group of the client, which the volumes of both and a rootful daemon's socket are given to.
CLIENT_GROUP: Final = 1000
#: The user and group of BuildKit's rootless image.
ROOTLESS_USER: Final = 1000
SOCKET_DIRECTORY: Final = "/run/buildkit"
PORT: Final = 1234
#: The file of the chart's ConfigMap that holds the builder's subordinate ids, and what it is mounted as.
SUBORDINATE_IDS: Final = "subordinate-ids"
_SUBID_FILES: Final = ("/etc/subuid", "/etc/subgid")


class BuildSidecar:
    """Says a builder in the values of charts/build-sidecar."""

    topology = Topology.SIDECAR
    builder_container = "buildkitd"
    client_container = "app"

    def values(self, builder: Builder, images: Mapping[ImageRole, Image], registry: str) -> dict[str, Any]:
        """Return the values; all that a builder says is set, so that the chart's defaults change no verdict."""
        pod: dict[str, Any] = {"securityContext": builder.pod_security_context}
        if builder.host_users is not None:
            pod["hostUsers"] = builder.host_users
        return {
            "transport": _transport(builder.transport),
            **_volumes(builder),
            "app": {"image": reference(images, builder.client_image)},
            "builder": {
                "image": reference(images, builder.image),
                "args": list(builder.args),
                "env": [{"name": name, "value": value} for name, value in builder.environment.items()],
                # A daemon that runs as root owns its socket; the client is not root.
                "socketGroup": CLIENT_GROUP if builder.image is ImageRole.BUILDKIT_ROOTFUL else None,
                "stateDirectory": builder.state_directory,
                "securityContext": builder.security_context,
                "volumeMounts": [_subid_mount(path) for path in _SUBID_FILES] if builder.subordinate_ids else [],
            },
            "config": {
                "registries": {registry: {"http": True}},
                "files": {SUBORDINATE_IDS: f"{builder.subordinate_ids}\n"} if builder.subordinate_ids else {},
            },
            "pod": {"spec": pod},
        }

    def connection(self, builder: Builder, namespace: str) -> tuple[str, ...]:  # noqa: ARG002 - the protocol's
        """Return nothing: the chart sets the client's BUILDKIT_HOST."""
        return ()

    def post_renderer(self, builder: Builder, *, registry: str, release: str) -> Sequence[str]:  # noqa: ARG002 - protocol
        """Return nothing: the chart has a value for everything."""
        return ()


def _transport(transport: Transport) -> dict[str, Any]:
    match transport:
        case Transport.UNIX:
            return {"type": "unix", "socketDirectory": SOCKET_DIRECTORY}
        case Transport.LOOPBACK_TCP:
            return {"type": "tcp", "port": PORT}
        case _:
            assert_never(transport)


def _volumes(builder: Builder) -> dict[str, Any]:
    match builder.volume_preparation:
        case VolumePreparation.FS_GROUP:
            method: dict[str, Any] = {"method": "fsGroup", "fsGroup": CLIENT_GROUP}
        case VolumePreparation.INIT_CONTAINER:
            method = {"method": "initContainer", "owner": owner(builder), "order": "chmodFirst"}
        case VolumePreparation.INIT_CONTAINER_CHOWN_FIRST:
            method = {"method": "initContainer", "owner": owner(builder), "order": "chownFirst"}
        case _:
            assert_never(builder.volume_preparation)
    handed_over = builder.volume_preparation is not VolumePreparation.FS_GROUP
    return {"volumePreparation": method, "buildctlInit": {"enabled": handed_over}}


def _subid_mount(path: str) -> dict[str, Any]:
    return {"name": "config", "mountPath": path, "subPath": SUBORDINATE_IDS, "readOnly": True}


def owner(builder: Builder) -> str:
    """Return the daemon's user and group, `1000:1000` for a rootless image that says nothing else."""
    said = {**builder.pod_security_context, **builder.security_context}
    user = said.get("runAsUser", 0 if builder.image is ImageRole.BUILDKIT_ROOTFUL else ROOTLESS_USER)
    return f"{user}:{said.get('runAsGroup', user)}"
