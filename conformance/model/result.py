"""What is said of a cell: the finding, and its outcome against the claim."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from clusters.provider import Provenance
from conformance.model.observation import Stage, StageReport
from conformance.model.outcome import Evidence, Outcome
from conformance.model.probe import ProbeResult
from conformance.model.record import Record
from conformance.model.words import Role


class VerdictKind(StrEnum):
    """What a class says about support."""

    UNSUPPORTED = "U"
    NODE_PREREQUISITE = "N"
    DEFECT = "C"
    BAD_INPUT = "X"
    INFRASTRUCTURE = "I"
    SYMPTOM = "S"
    NOISE = "W"


class Layer(StrEnum):
    """Which part of the pipeline refuses; the order breaks ties."""

    ADMISSION = "admission"
    SCHEDULING = "scheduling"
    RUNTIME = "runtime"
    ROOTLESSKIT = "rootlesskit"
    SNAPSHOTTER = "snapshotter"
    EXECUTOR = "executor"
    GIT = "git"
    REGISTRY = "registry"
    NETWORK = "network"
    RESOURCE = "resource"
    HELM = "helm"
    RECIPE = "recipe"
    PROVIDER = "provider"


#: The class of a failure that no rule knows. Counted and shown, never guessed.
UNCLASSIFIED = "unclassified"


class Finding(Record):
    """What `classify` makes of an observation."""

    #: True when every stage that could run passed.
    builds: bool
    #: None when it builds; otherwise a class's name or `unclassified`.
    class_: str | None = Field(default=None, alias="class")
    layer: Layer | None = None
    kind: VerdictKind | None = None
    #: The stage where it surfaced.
    stage: Stage | None = None
    evidence: tuple[Evidence, ...] = ()
    #: Classes the evidence allows besides `class`; facts could not tell them apart.
    candidates: tuple[str, ...] = ()
    #: False when several causes remain: the outcome is then inconclusive.
    decisive: bool = True
    #: Values behind the class, e.g. the fields a policy names.
    detail: str = ""
    #: Things seen that are worth saying though they are not the verdict, e.g. prediction and live admission disagree.
    remarks: tuple[str, ...] = ()


class Result(Record):
    """One line of `results.jsonl`."""

    cell: str
    cluster: str
    kubernetes: str
    level: str
    builder: str
    role: Role
    provenance: Provenance
    outcome: Outcome
    #: Only some machines can host it: that it did not run is no hole in the run.
    optional: bool = False
    #: Null when it builds or never ran.
    class_: str | None = Field(default=None, alias="class")
    layer: Layer | None = None
    kind: VerdictKind | None = None
    stage: Stage | None = None
    #: `supported`, a class, or null where nothing is claimed.
    claim: str | None = None
    claim_source: str = ""
    evidence: tuple[Evidence, ...] = ()
    candidates: tuple[str, ...] = ()
    #: Why it is inconclusive or did not run, and remarks.
    reason: str = ""
    remarks: tuple[str, ...] = ()
    #: Wall clock from namespace to verdict.
    seconds: float = 0.0
    stages: tuple[StageReport, ...] = ()
    #: The classes of earlier tries of this cell, oldest first (only kind I is tried again).
    tries: tuple[str, ...] = ()
    #: What its probes found, in their order; none where none was asked for.
    probes: tuple[ProbeResult, ...] = ()

    @property
    def breaks_claim(self) -> bool:
        """Say whether the cell or one of its probes contradicts its claim."""
        return self.outcome.breaks_claim or any(probe.outcome.breaks_claim for probe in self.probes)
