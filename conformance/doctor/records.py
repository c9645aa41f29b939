"""What a gate is, what it answers, and what a diagnosis is made of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from conformance.model import Record


class Outcome(StrEnum):
    """How a gate ended."""

    PASSED = "passed"
    #: The installation does not do what the gate asks.
    FAILED = "failed"
    #: Nothing wrong was seen, and not everything could be looked at: a right or a client is missing.
    UNPROVEN = "unproven"
    #: An earlier gate failed, so that this one's answer would mean nothing.
    NOT_REACHED = "not-reached"


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a gate found."""

    outcome: Outcome
    #: One sentence.
    says: str
    #: A class of `conformance explain`, where the evidence settles it.
    failure_class: str = ""
    #: Classes that the evidence allows where it settles none.
    candidates: tuple[str, ...] = ()
    #: What to do; empty: what the class says.
    remedy: str = ""
    #: The installation's own words.
    evidence: tuple[str, ...] = ()
    #: True and worth knowing, and no reason to fail.
    notes: tuple[str, ...] = ()


class GateReport(Record):
    """What became of one gate."""

    gate: str
    question: str
    outcome: Outcome
    says: str
    failure_class: str | None = None
    #: What the class means.
    meaning: str = ""
    candidates: tuple[str, ...] = ()
    remedy: str = ""
    evidence: tuple[str, ...] = ()
    #: Rights that the gate needs and whoever asked does not have, e.g. `list nodes`.
    missing_rights: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Diagnosis(Record):
    """What `conformance doctor --format json` prints."""

    schema_version: int = 1
    namespace: str
    service: str
    #: The daemon's address as its clients dial it.
    address: str
    #: `namespace/pod/container` that was used as a client; None: no client was named.
    client: str | None
    #: The API server's version, e.g. `v1.35.4`.
    server: str
    #: The first gate that failed.
    first_failed: str | None
    gates: tuple[GateReport, ...]


def passed(says: str, *, evidence: tuple[str, ...] = (), notes: tuple[str, ...] = ()) -> Answer:
    """Return that the gate holds."""
    return Answer(outcome=Outcome.PASSED, says=says, evidence=evidence, notes=notes)


def failed(
    says: str,
    *,
    failure_class: str | None = None,
    candidates: tuple[str, ...] = (),
    remedy: str = "",
    evidence: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
) -> Answer:
    """Return that the gate does not hold; without a class it needs a remedy of its own."""
    return Answer(
        outcome=Outcome.FAILED,
        says=says,
        failure_class=failure_class or "",
        candidates=candidates,
        remedy=remedy,
        evidence=evidence,
        notes=notes,
    )


def unproven(says: str, *, remedy: str = "", evidence: tuple[str, ...] = (), notes: tuple[str, ...] = ()) -> Answer:
    """Return that the gate could not be decided, and what would decide it."""
    return Answer(outcome=Outcome.UNPROVEN, says=says, remedy=remedy, evidence=evidence, notes=notes)
