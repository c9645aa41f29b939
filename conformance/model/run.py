"""What a run was: where, when, with what. `run.json`."""

from __future__ import annotations

from pydantic import Field

from clusters.provider import ImageRole, Provenance
from conformance.model.observation import SCHEMA_VERSION, NodeFacts
from conformance.model.record import Record
from conformance.model.words import Node


class HostFacts(Record):
    """The machine that ran the harness."""

    kernel: str = ""
    os: str = ""
    architecture: str = ""
    python: str = ""
    cpus: int = 0
    #: Bytes.
    memory: int = 0


class ImageRecord(Record):
    """An image that pods of the run used."""

    role: ImageRole
    reference: str
    digest: str
    origin: str


class Cost(Record):
    """What a cluster cost at list price, from its creation until the report was written."""

    amount: float = Field(ge=0)
    #: ISO 4217.
    currency: str
    per_hour: float
    #: How long it stood.
    seconds: float
    region: str
    #: When the price was read, ISO 8601, and where.
    date: str
    source: str


class ClusterRecord(Record):
    """A cluster of the run."""

    #: As cells and tables call it, e.g. `embedded-1.35`.
    cluster: str
    provider: str
    #: The Kubernetes line and, once the server has answered, its exact version.
    kubernetes: str
    version: str = ""
    #: The conditions its node was asked for; `node` says what it turned out to be.
    kind_of_node: Node = Node()
    provenance: Provenance = Provenance.GENUINE
    images: tuple[ImageRecord, ...] = ()
    #: What only the provider knows: versions of its components.
    facts: dict[str, str] = Field(default_factory=dict)
    node: NodeFacts = NodeFacts()
    #: How long it took to create; 0 when it never came up.
    seconds: float = 0.0
    #: Null: it costs nothing, or nobody knows what.
    cost: Cost | None = None
    #: Why it never came up; empty when it did.
    failure: str = ""


class ChartRecord(Record):
    """The chart under test."""

    name: str = ""
    version: str = ""
    #: Path or URL it was read from.
    origin: str = ""
    #: SHA-256 over its files.
    digest: str = ""


class Run(Record):
    """Provenance of a run, readable without the harness."""

    schema_version: int = SCHEMA_VERSION
    run_id: str
    #: ISO 8601, UTC. `ended` is empty while it runs, and for ever after a kill.
    started: str
    ended: str = ""
    interrupted: bool = False
    argv: tuple[str, ...] = ()
    #: What it was asked for, as options of `conformance run`; paths are as they were typed.
    options: tuple[str, ...] = ()
    #: When it was taken up again, ISO 8601, UTC.
    resumed: tuple[str, ...] = ()
    matrix: str = ""
    #: Version of the harness, its git commit, and whether the checkout had changes.
    harness: str = ""
    git_commit: str = ""
    git_dirty: bool = False
    #: SHA-256 over the classification rules.
    rules: str = ""
    chart: ChartRecord = ChartRecord()
    #: Every chart that cells of the run were installed by, one for each topology.
    charts: tuple[ChartRecord, ...] = ()
    host: HostFacts = HostFacts()
    #: Versions of programs and packages that took part, by name.
    versions: dict[str, str] = Field(default_factory=dict)
    clusters: tuple[ClusterRecord, ...] = ()
    #: Ids of the runs it was joined from; empty for a run that ran.
    parts: tuple[str, ...] = ()
