"""Which driver drives which builder."""

from __future__ import annotations

from conformance.errors import UsageError
from conformance.model import Builder, Client, Tool, Topology
from conformance.tools.buildctl import Buildctl
from conformance.tools.buildx import Buildx
from conformance.tools.containers import Containers
from conformance.tools.daemonless import Daemonless
from conformance.tools.driver import Driver
from conformance.tools.kaniko import Kaniko
from conformance.tools.radius_recipe import RadiusRecipe


def driver_of(builder: Builder, connection: tuple[str, ...] = ()) -> Driver:
    """Return what drives a builder; `connection` are the flags by which a BuildKit client finds its daemon.

    Raises UsageError when no driver is known for it.
    """
    match builder.tool, builder.topology, builder.client:
        case Tool.BUILDKIT, Topology.ONE_SHOT, Client.BUILDCTL:
            return Daemonless()
        case Tool.BUILDKIT, _, Client.BUILDCTL:
            return Buildctl(connection=connection)
        case Tool.BUILDKIT, Topology.SIDECAR, Client.BUILDX:
            return Buildx()
        case Tool.BUILDKIT, Topology.SIDECAR, Client.RADIUS_RECIPE:
            return RadiusRecipe(connection=connection)
        case ((Tool.BUILDAH | Tool.PODMAN), Topology.ONE_SHOT, Client.BUILDCTL):
            return Containers(program=str(builder.tool), arguments=builder.args)
        case Tool.KANIKO, Topology.ONE_SHOT, Client.BUILDCTL:
            return Kaniko(arguments=builder.args)
        case _:
            raise UsageError(
                f"builder {builder.name!r}: nothing drives {builder.tool} as {builder.topology} by {builder.client}:"
                f" buildkit is a sidecar, standalone or one-shot (buildx drives sidecars), the other tools are one-shot"
            )
