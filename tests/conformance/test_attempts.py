from __future__ import annotations

import pytest

from conformance.attempts import Attempt, another_is_due, settled
from conformance.judge import Judgement
from conformance.model import Observation, Outcome, VerdictKind
from tests.conformance import records


def attempt(outcome: Outcome, kind: VerdictKind | None = None, class_: str | None = None) -> Attempt:
    finding = records.failure(class_, kind=kind) if class_ else records.BUILDS
    observation = Observation(cell="c", stages=())
    return Attempt(observation=observation, finding=finding, judgement=Judgement(outcome, "r"))


GOOD = attempt(Outcome.AS_CLAIMED)
BAD = attempt(Outcome.UNEXPECTED_FAILURE, VerdictKind.UNSUPPORTED, "rootlesskit-clone-eperm")
ILL = attempt(Outcome.INCONCLUSIVE, VerdictKind.INFRASTRUCTURE, "disk-full")


def test_a_cell_is_tried_once_when_nothing_asks_for_more() -> None:
    assert another_is_due([], None)
    assert not another_is_due([GOOD], None)
    assert not another_is_due([BAD], None)


def test_infrastructure_is_tried_again_once() -> None:
    assert another_is_due([ILL], None)
    assert not another_is_due([ILL, ILL], None)
    assert not another_is_due([ILL, GOOD], None)


def test_a_claim_gets_the_repeats_it_asks_for_and_infrastructure_does_not_count_among_them() -> None:
    claim = records.claim(repeats=3, at_least=2)
    assert another_is_due([GOOD, BAD], claim)
    assert another_is_due([GOOD, ILL, BAD], claim)
    assert not another_is_due([GOOD, ILL, BAD, GOOD], claim)


@pytest.mark.parametrize(("order", "counted"), [([ILL, GOOD], GOOD), ([ILL, ILL], ILL), ([BAD], BAD)])
def test_what_counts_is_the_try_that_says_something(order: list[Attempt], counted: Attempt) -> None:
    assert settled(order, None) == (counted, counted.judgement)


def test_a_flake_within_what_the_claim_allows_is_as_claimed_and_told() -> None:
    counted, judgement = settled([BAD, GOOD, GOOD], records.claim(repeats=3, at_least=2))
    assert counted is GOOD
    assert judgement.outcome is Outcome.AS_CLAIMED
    assert "2 of 3" in judgement.reason


def test_more_flakes_than_the_claim_allows_count_as_the_worst_try() -> None:
    counted, judgement = settled([BAD, GOOD, BAD], records.claim(repeats=3, at_least=2))
    assert counted is BAD
    assert judgement.outcome is Outcome.UNEXPECTED_FAILURE
