"""A builder: tool, topology, security context, flags. Data, read from `matrices/builders/`."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Self, assert_never

from pydantic import Field, model_validator

from clusters.provider import Capability, ImageRole
from conformance.model.record import Record, Slug
from conformance.model.standalone import ClientNamespace, Standalone


class VolumePreparation(StrEnum):
    """How the builder's volumes come to belong to its user."""

    #: A pod-level fsGroup; nothing runs as root.
    FS_GROUP = "fs-group"
    #: An init container as root with only CAP_CHOWN.
    INIT_CONTAINER = "init-container"
    #: The same with chown before chmod, which the capability does not suffice for.
    INIT_CONTAINER_CHOWN_FIRST = "init-container-chown-first"


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
    #: `buildctl` with the words of Radius' recipe for container images.
    RADIUS_RECIPE = "radius-recipe"


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
    #: Of the topology `standalone`: its workload, storage, policies and certificates.
    standalone: Standalone = Standalone()
    #: True for the one builder that stands for "this cluster can build at all".
    control: bool = False

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.topology is not Topology.STANDALONE and self.standalone != Standalone():
            raise ValueError(
                f"the table `standalone` says nothing of the topology {self.topology.value!r}: remove it, or say"
                " topology = 'standalone'"
            )
        if self.standalone.storage and Capability.VOLUMES not in self.needs:
            raise ValueError("standalone.storage asks for a PersistentVolumeClaim: add needs = ['volumes']")
        if (
            self.standalone.client_namespace is ClientNamespace.FORBIDDEN
            and Capability.NETWORK_POLICY not in self.needs
        ):
            raise ValueError(
                "standalone.client_namespace 'forbidden' means nothing where policies are not enforced: add"
                " needs = ['network-policy']"
            )
        return self

    @property
    def client_image(self) -> ImageRole:
        """Return which image the client runs from."""
        match self.client:
            case Client.BUILDCTL | Client.RADIUS_RECIPE:
                return ImageRole.APP
            case Client.BUILDX:
                return ImageRole.BUILDX
            case _:
                assert_never(self.client)

    @property
    def images(self) -> frozenset[ImageRole]:
        """Return the images its cells use."""
        return frozenset({self.image, self.client_image})
