"""The words of the plan: level, builder, cell, claim. Files and steps speak in these."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from clusters.provider import ImageRole

#: A name that may stand in a test id, a namespace and a file name.
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", max_length=60)]


class Record(BaseModel):
    """A frozen record that refuses unknown keys: a typo in a file is an error, never a default."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, json_schema_serialization_defaults_required=True
    )


class PsaLevel(StrEnum):
    """The Pod Security Standards' levels (https://kubernetes.io/docs/concepts/security/pod-security-standards/)."""

    PRIVILEGED = "privileged"
    BASELINE = "baseline"
    RESTRICTED = "restricted"


class Level(Record):
    """A PSA level and the policy version it is enforced at: `latest` or such as `v1.34`."""

    psa: PsaLevel
    version: str = Field(default="latest", pattern=r"^(latest|v1\.\d{1,2})$")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `baseline` or `baseline@v1.34`. Raises ValueError when it is neither."""
        name, _, version = text.partition("@")
        return cls(psa=PsaLevel(name), version=version or "latest")

    def __str__(self) -> str:
        """Return the level as DESIGN writes it, e.g. `baseline@latest`."""
        return f"{self.psa}@{self.version}"

    @property
    def slug(self) -> str:
        """Return the level as part of a cell's id: the version is named only where it is pinned."""
        return str(self.psa) if self.version == "latest" else f"{self.psa}-{self.version}"


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


class Builder(Record):
    """A named way to run the builder. Data: read from `matrices/builders/`."""

    name: Slug
    #: What it is, one sentence.
    summary: str
    #: Where this shape comes from.
    origin: str
    #: Which image the daemon runs from.
    image: ImageRole
    #: Arguments of the daemon besides address and configuration.
    args: tuple[str, ...] = ()
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
    #: True for the one builder that stands for "this cluster can build at all".
    control: bool = False


class Role(StrEnum):
    """Why a cell is in the plan."""

    SELECTED = "selected"
    #: Proves that the cluster can build at all; shown, not counted.
    CONTROL = "control"


class Cell(Record):
    """Cluster x level x builder: the unit of truth."""

    #: Names the cell everywhere: test id, folder, user agent.
    id: Slug
    provider: str
    #: The Kubernetes line, e.g. `1.35`.
    kubernetes: str
    level: Level
    builder: Builder
    role: Role = Role.SELECTED

    @property
    def cluster(self) -> str:
        """Return what the cell's cluster is called in tables, e.g. `embedded-1.35`."""
        return f"{self.provider}-{self.kubernetes}"


class Claim(Record):
    """What we have committed to for the cells it selects: supported, or the class that refuses."""

    #: A builder's name.
    builder: str
    levels: tuple[PsaLevel, ...]
    #: `supported` or a failure class.
    expect: str
    #: Where we know it from.
    source: str
    #: When it was last confirmed, ISO 8601.
    date: str
    note: str = ""
    #: A provider's name, or `*`.
    provider: str = "*"
    #: A range of Kubernetes lines such as `>=1.33`; empty: any.
    kubernetes: str = ""
    #: A range of policy versions such as `<1.35`; empty: any.
    policy: str = ""
    #: Node conditions that must hold, e.g. `seccomp_default = false`.
    conditions: dict[str, bool | str | int] = Field(default_factory=dict)
    #: How often the cell is tried, and how many of the tries must end as claimed; 0: all of them.
    repeats: int = Field(default=1, ge=1, le=100)
    at_least: int = Field(default=0, ge=0, le=100)
    #: Where it stands in its file, for messages.
    origin: str = ""

    @property
    def supported(self) -> bool:
        """Say whether it claims that the builder builds."""
        return self.expect == SUPPORTED


SUPPORTED = "supported"

_LINE = re.compile(r"^1\.\d{1,2}$")


def is_kubernetes_line(text: str) -> bool:
    """Say whether a text has the form of a Kubernetes line, e.g. `1.35`."""
    return bool(_LINE.match(text))


def minor_of(version: str) -> int:
    """Return the minor of a Kubernetes line or policy version: 35 of `1.35` and of `v1.35`."""
    return int(version.rpartition(".")[2])
