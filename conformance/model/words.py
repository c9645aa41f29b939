"""The words of the plan: level, builder, cell, claim. Files and steps speak in these."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Self

from pydantic import Field

from clusters.provider import NodeConditions
from conformance.model.builder import Builder
from conformance.model.record import LongSlug, Record, Slug


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


class Node(Record):
    """A named kind of node: conditions that change answers. Data: read from `matrices/nodes.toml`."""

    name: Slug = "default"
    #: What it is, one sentence.
    summary: str = ""
    #: Conditions as `NodeConditions` has them; what is not said is as the kubelet does by default.
    seccomp_default: bool = False
    ids_per_pod: int = Field(default=65536, gt=0)
    seccomp_profiles: bool = False
    emulators: bool = False
    apparmor: bool = False

    @property
    def is_default(self) -> bool:
        """Say whether nothing is asked of it."""
        return self.name == _DEFAULT_NODE

    @property
    def conditions(self) -> NodeConditions:
        """Return what a provider is asked for."""
        return NodeConditions(**self.model_dump(exclude={"name", "summary"}))


_DEFAULT_NODE = "default"


class ClusterKey(Record):
    """What tells the clusters of a run apart: provider, Kubernetes line, kind of node."""

    provider: str
    kubernetes: str
    node: Node = Node()

    @property
    def name(self) -> str:
        """Return what the cluster is called in tables and ids, e.g. `embedded-1.35` or `embedded-1.35-emulators`."""
        return f"{self.provider}-{self.kubernetes}{'' if self.node.is_default else f'-{self.node.name}'}"


class Role(StrEnum):
    """Why a cell is in the plan."""

    SELECTED = "selected"
    #: Proves that the cluster can build at all; shown, not counted.
    CONTROL = "control"


class Cell(Record):
    """Cluster x level x builder: the unit of truth."""

    #: Names the cell everywhere: test id, folder, user agent.
    id: LongSlug
    provider: str
    #: The Kubernetes line, e.g. `1.35`.
    kubernetes: str
    node: Node = Node()
    level: Level
    builder: Builder
    role: Role = Role.SELECTED
    #: Only some machines can host it: where this one cannot, that it did not run is no hole in the run.
    optional: bool = False
    #: What is looked at once its stages have passed, in this order.
    probes: tuple[Slug, ...] = ()

    @property
    def key(self) -> ClusterKey:
        """Return which cluster it runs on."""
        return ClusterKey(provider=self.provider, kubernetes=self.kubernetes, node=self.node)

    @property
    def cluster(self) -> str:
        """Return what the cell's cluster is called in tables, e.g. `embedded-1.35`."""
        return self.key.name


class Claim(Record):
    """What we have committed to for the cells it selects: supported, or the class that refuses."""

    #: A builder's name.
    builder: str
    levels: tuple[PsaLevel, ...]
    #: `supported` or a failure class; of a probe, `holds` or what it finds.
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
    #: The probe of those cells that is meant; empty: their building.
    probe: str = ""
    #: Why no published result can show it, e.g. that no node with AppArmor is at hand; empty: one must.
    unproven: str = ""
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
