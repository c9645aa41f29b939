"""A builder: tool, topology, security context, flags. Data, read from `matrices/builders/`."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, assert_never

from pydantic import Field

from clusters.provider import Capability, ImageRole
from conformance.model.record import Record, Slug


class VolumePreparation(StrEnum):
    """How the builder's volumes come to belong to its user."""

    #: A pod-level fsGroup; nothing runs as root.
    FS_GROUP = "fs-group"
    #: An init container as root with only CAP_CHOWN.
    INIT_CONTAINER = "init-container"


class Transport(StrEnum):
    """How the client reaches a sidecar daemon."""

    UNIX = "unix"
    LOOPBACK_TCP = "loopback-tcp"


class Tool(StrEnum):
    """The program that builds."""

    BUILDKIT = "buildkit"
    BUILDAH = "buildah"
    PODMAN = "podman"
    KANIKO = "kaniko"


class Client(StrEnum):
    """The program that drives a BuildKit daemon."""

    BUILDCTL = "buildctl"
    #: `docker buildx` with its remote driver (https://docs.docker.com/build/builders/drivers/remote/).
    BUILDX = "buildx"


class Topology(StrEnum):
    """Where the builder runs, seen from its client."""

    #: In the client's pod: a unix socket or loopback TCP.
    SIDECAR = "sidecar"
    #: In pods of its own behind a Service: TCP with mTLS.
    STANDALONE = "standalone"
    #: No daemon: each build is a command in the builder's own container.
    ONE_SHOT = "one-shot"


class Builder(Record):
    """A named way to run the builder. Data: read from `matrices/builders/`."""

    name: Slug
    #: What it is, one sentence.
    summary: str
    #: Where this shape comes from.
    origin: str
    tool: Tool = Tool.BUILDKIT
    topology: Topology = Topology.SIDECAR
    client: Client = Client.BUILDCTL
    #: Which image the builder runs from.
    image: ImageRole
    #: Arguments of the daemon besides address and configuration; of a one-shot tool, those of its build command.
    args: tuple[str, ...] = ()
    #: Environment variables of the builder's container.
    environment: dict[str, str] = Field(default_factory=dict)
    #: What the cluster must be able to do for it, beside what every cell needs.
    needs: tuple[Capability, ...] = ()
    #: The daemon container's `securityContext`, in Kubernetes' own words.
    security_context: dict[str, Any] = Field(default_factory=dict)
    #: The pod's `securityContext`, in Kubernetes' own words.
    pod_security_context: dict[str, Any] = Field(default_factory=dict)
    #: `spec.hostUsers`: false asks for a user namespace, None leaves the field unset.
    host_users: bool | None = None
    volume_preparation: VolumePreparation = VolumePreparation.FS_GROUP
    transport: Transport = Transport.UNIX
    #: Where the daemon keeps its state; a volume is mounted there.
    state_directory: str = "/home/user/.local/share/buildkit"
    #: A line of subuid(5) and subgid(5), e.g. `user:1001:64535`, in place of the image's; empty: the image's own.
    subordinate_ids: str = Field(default="", pattern=r"^(|[^\s:]+:\d+:\d+)$")
    #: Files of the builder's container by absolute path, e.g. `/etc/containers/storage.conf`; what the text is.
    files: dict[str, str] = Field(default_factory=dict)
    #: How much its state may grow, e.g. `10Gi`; empty: as much as the node has.
    state_limit: str = ""
    #: True for the one builder that stands for "this cluster can build at all".
    control: bool = False

    @property
    def client_image(self) -> ImageRole:
        """Return which image the client runs from."""
        match self.client:
            case Client.BUILDCTL:
                return ImageRole.APP
            case Client.BUILDX:
                return ImageRole.BUILDX
            case _:
                assert_never(self.client)

    @property
    def images(self) -> frozenset[ImageRole]:
        """Return the images its cells use."""
        return frozenset({self.image, self.client_image})
