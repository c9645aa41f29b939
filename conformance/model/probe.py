"""What is seen of a cell by a probe, and what is said of it."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from conformance.model.outcome import Evidence, Outcome
from conformance.model.record import Record, Slug

#: What a claim says of a probe that finds nothing wrong.
HOLDS = "holds"

#: What a probe saw, by name: counts, digests, short texts, yes or no. No opinion.
Facts = dict[str, bool | int | str]


class LookStatus(StrEnum):
    """How a probe's look ended."""

    LOOKED = "looked"
    #: It cannot be done here: the tool or the cluster lacks what it needs. Never held against the builder.
    NOT_RUN = "not-run"
    #: Something broke that the probe is not about.
    BROKEN = "broken"


class ProbeObservation(Record):
    """What a probe saw of a cell whose stages had passed."""

    probe: Slug
    status: LookStatus
    #: Why it did not look, or what broke.
    reason: str = ""
    facts: Facts = Field(default_factory=dict)
    seconds: float = 0.0


class ProbeFinding(Record):
    """What a probe's facts say."""

    #: `holds`, or the name of what does not.
    found: Slug
    #: In one sentence, with the values behind it.
    detail: str = ""
    #: The facts it rests on.
    evidence: tuple[Evidence, ...] = ()


class ProbeResult(Record):
    """A probe of a cell, held against what is claimed of it."""

    probe: Slug
    outcome: Outcome
    #: Null when it did not look.
    found: str | None = None
    detail: str = ""
    #: `holds`, a finding's name, or null where nothing is claimed.
    claim: str | None = None
    claim_source: str = ""
    #: Why it is inconclusive, unclaimed or did not run.
    reason: str = ""
    evidence: tuple[Evidence, ...] = ()
    seconds: float = 0.0
