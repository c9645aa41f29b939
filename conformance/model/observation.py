"""Everything seen of a cell, complete enough to judge it without a cluster. No judgement here."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import Field

from conformance.model.connection import ConnectionFacts
from conformance.model.probe import ProbeObservation
from conformance.model.record import Record

#: Raised whenever a reader of older files would misread newer ones.
SCHEMA_VERSION = 1


class Stage(StrEnum):
    """The steps of a cell, in order."""

    ADMISSION = "admission"
    SCHEDULE = "schedule"
    PULL = "pull"
    START = "start"
    READY = "ready"
    LOCAL_COPY = "local-copy"
    LOCAL_RUN = "local-run"
    GIT = "git"
    PUSH = "push"
    RUN_IMAGE = "run-image"


class StageStatus(StrEnum):
    """How a stage ended."""

    PASSED = "passed"
    FAILED = "failed"
    #: The cluster cannot do it (a capability is missing); never held against the builder.
    NOT_RUN = "not-run"


class StageReport(Record):
    """One stage: how it ended, how long it took, and in one line what was seen."""

    stage: Stage
    status: StageStatus
    seconds: float
    detail: str = ""


class SourceKind(StrEnum):
    """Where a text comes from; rules say which kinds they apply to."""

    #: What the API server answered when something was refused (admission, validation).
    API = "api"
    #: Kubernetes events and condition messages, one a line.
    EVENT = "event"
    #: A container's `state` and `lastState` messages.
    STATUS = "status"
    #: The builder daemon's log.
    DAEMON = "daemon"
    #: An init container's log.
    INIT = "init"
    #: The log of any other container of the pod.
    CONTAINER = "container"
    #: What a build client said: progress and errors.
    BUILD = "build"
    #: helm's output.
    HELM = "helm"
    #: Components of the cluster: kubelet, container runtime, kernel log.
    NODE = "node"
    #: What a provider said while it made the cluster.
    PROVIDER = "provider"
    #: What a probe made or met on purpose: no rule judges it.
    PROBE = "probe"
    #: A text whose origin is not known: a person's log file.
    UNKNOWN = "unknown"


class Source(Record):
    """One text, kept as a file of the cell's folder."""

    #: Relative to the cell's folder, e.g. `logs/buildkitd.log`.
    file: str
    kind: SourceKind
    container: str = ""
    #: The stage that produced it, where there is one.
    stage: Stage | None = None
    #: Written to `file`, not into the observation.
    text: str = Field(default="", exclude=True, repr=False)


class Event(Record):
    """A Kubernetes event."""

    type: str
    reason: str
    message: str
    #: The object it is about, `Kind/name`.
    about: str
    count: int = 1
    #: ISO 8601.
    last_seen: str = ""


class ContainerTermination(Record):
    """How a container ended."""

    exit_code: int
    reason: str = ""
    message: str = ""
    signal: int | None = None


class ContainerStatus(Record):
    """A container as the kubelet reports it."""

    name: str
    init: bool = False
    ready: bool = False
    restarts: int = 0
    #: `waiting`, `running`, `terminated` or `unknown`.
    state: str
    waiting_reason: str = ""
    waiting_message: str = ""
    terminated: ContainerTermination | None = None
    last_terminated: ContainerTermination | None = None
    image: str = ""
    image_id: str = ""


class Condition(Record):
    """A condition of an object, e.g. a Deployment's `ReplicaFailure`."""

    about: str
    type: str
    status: str
    reason: str = ""
    message: str = ""


class PodStatus(Record):
    """A pod of the release."""

    name: str
    phase: str
    #: Such as `Evicted`.
    reason: str = ""
    message: str = ""
    containers: tuple[ContainerStatus, ...] = ()


class Prediction(Record):
    """What the API server said to a dry run of the pod before anything was installed."""

    admitted: bool
    #: The refusal's own text; empty when admitted.
    message: str = ""
    #: API `Warning:` headers.
    warnings: tuple[str, ...] = ()


class FactsOrigin(StrEnum):
    """Where the facts about the builder's processes were read."""

    BUILDER = "builder"
    #: A pod with the same spec and a command that only reads /proc, because the builder dies too early.
    TWIN = "twin"
    UNKNOWN = "unknown"


class BuilderFacts(Record):
    """What the builder's processes really run under (proc(5)); None where it was not seen."""

    origin: FactsOrigin = FactsOrigin.UNKNOWN
    uid_map: str | None = None
    gid_map: str | None = None
    #: 0 none, 1 strict, 2 filter.
    seccomp: int | None = None
    no_new_privs: bool | None = None
    #: Bit masks.
    cap_bnd: int | None = None
    cap_eff: int | None = None
    #: `/proc/self/attr/current`.
    lsm_label: str | None = None
    #: `buildctl debug workers`, the label `org.mobyproject.buildkit.worker.snapshotter`.
    snapshotter: str | None = None
    worker_labels: dict[str, str] = Field(default_factory=dict)
    platforms: tuple[str, ...] = ()


class NodeFacts(Record):
    """The node a cell ran on; None where it was not seen."""

    name: str = ""
    kernel: str | None = None
    os: str | None = None
    architecture: str | None = None
    container_runtime: str | None = None
    kubelet: str | None = None
    cgroup_version: int | None = None
    lsms: tuple[str, ...] | None = None
    apparmor: bool | None = None
    #: By behaviour: a canary without a seccomp profile ran under a filter.
    seccomp_default: bool | None = None
    #: By behaviour: the size of a user namespace the kubelet gave out.
    ids_per_pod: int | None = None
    #: By behaviour: the Localhost profiles of the harness under which a canary ran.
    seccomp_profiles: tuple[str, ...] | None = None
    #: By behaviour: the foreign architectures (`arm64`) whose programs a canary ran.
    emulators: tuple[str, ...] | None = None
    sysctls: dict[str, str] = Field(default_factory=dict)
    configz: dict[str, Any] = Field(default_factory=dict)


class Versions(Record):
    """Versions of everything that took part."""

    kubernetes: str = ""
    policy: str = ""
    chart: str = ""
    builder_image: str = ""
    builder_image_digest: str = ""
    builder_image_origin: str = ""
    helm: str = ""
    harness: str = ""
    git_commit: str = ""


class Observation(Record):
    """Everything seen of a cell."""

    schema_version: int = SCHEMA_VERSION
    cell: str
    stages: tuple[StageReport, ...]
    prediction: Prediction | None = None
    #: As the chart rendered it and as the server admitted it: raw JSON, so that no field is lost.
    rendered_pod: dict[str, Any] = Field(default_factory=dict)
    admitted_pod: dict[str, Any] = Field(default_factory=dict)
    pods: tuple[PodStatus, ...] = ()
    conditions: tuple[Condition, ...] = ()
    events: tuple[Event, ...] = ()
    sources: tuple[Source, ...] = ()
    builder_facts: BuilderFacts = BuilderFacts()
    node_facts: NodeFacts = NodeFacts()
    #: Of the way from the client to a daemon in other pods; None: it is in the client's pod, or nothing is known.
    connection: ConnectionFacts | None = None
    versions: Versions = Versions()
    #: The container that runs the builder daemon.
    builder_container: str = "buildkitd"
    #: Why the labels of the cell's namespace decide nothing; empty: they are in force, or nobody had to ask.
    unenforced: str = ""
    #: What was seen after the stages, by probes.
    probes: tuple[ProbeObservation, ...] = ()

    @property
    def failed_stage(self) -> StageReport | None:
        """Return the first stage that failed, or None."""
        return next((report for report in self.stages if report.status is StageStatus.FAILED), None)
