"""How a finding stands against its claim, and what a finding rests on."""

from __future__ import annotations

from enum import StrEnum

from conformance.model.record import Record


class Evidence(Record):
    """The line a finding rests on."""

    #: Relative to the cell's folder.
    file: str
    #: 1-based; 0 where a fact, not a line of text, is cited.
    line: int
    text: str


class Outcome(StrEnum):
    """Finding against claim."""

    AS_CLAIMED = "as-claimed"
    UNEXPECTED_SUPPORT = "unexpected-support"
    UNEXPECTED_FAILURE = "unexpected-failure"
    WRONG_CLASS = "wrong-class"
    INCONCLUSIVE = "inconclusive"
    NOT_RUN = "not-run"
    UNCLAIMED = "unclaimed"

    @property
    def breaks_claim(self) -> bool:
        """Say whether the claim and what was seen contradict each other."""
        return self in {Outcome.UNEXPECTED_SUPPORT, Outcome.UNEXPECTED_FAILURE, Outcome.WRONG_CLASS}
