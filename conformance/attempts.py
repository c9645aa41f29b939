"""How often a cell is tried, and which try counts: infrastructure is tried again, and a claim may ask for repeats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from conformance.judge import Judgement, settle
from conformance.model import Claim, Finding, Observation, VerdictKind

#: How often in a row a cell may fail for its infrastructure before that is its result.
INFRASTRUCTURE_TRIES: Final = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One try of a cell: what was seen, what it is called, how that stands against the claim."""

    observation: Observation
    finding: Finding
    judgement: Judgement

    @property
    def conclusive(self) -> bool:
        """Say whether it says something of the builder."""
        return self.finding.kind is not VerdictKind.INFRASTRUCTURE

    @property
    def name(self) -> str:
        """Return what is written of a try that does not count: its class, or `builds`."""
        return self.finding.class_ or "builds"


def another_is_due(attempts: Sequence[Attempt], claim: Claim | None) -> bool:
    """Say whether the cell has to be tried (again)."""
    last = attempts[-INFRASTRUCTURE_TRIES:]
    if len(last) == INFRASTRUCTURE_TRIES and not any(attempt.conclusive for attempt in last):
        return False
    wanted = claim.repeats if claim is not None else 1
    return sum(attempt.conclusive for attempt in attempts) < wanted


def settled(attempts: Sequence[Attempt], claim: Claim | None) -> tuple[Attempt, Judgement]:
    """Return the try that counts and the cell's judgement: the first try whose outcome is the cell's."""
    said = [attempt for attempt in attempts if attempt.conclusive] or attempts[-1:]
    judgement = settle([attempt.judgement for attempt in said], claim)
    return next(attempt for attempt in said if attempt.judgement.outcome is judgement.outcome), judgement
