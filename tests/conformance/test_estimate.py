from __future__ import annotations

from conformance.estimate import Durations, estimate
from conformance.plan import Plan
from tests.conformance.records import cell, claim, control

DURATIONS = Durations(
    cluster={"embedded": 100.0, "default": 1000.0},
    cell={"supported": 12.0, "psa-restricted-violation": 2.0, "default": 7.0},
)
CLAIMS = [claim(), claim("psa-restricted-violation", levels=("restricted",))]


def plan(*cells: str) -> Plan:
    return Plan(matrix="m", cells=tuple(cell(level=level) for level in cells), controls=(control(),))


def test_a_cell_takes_as_long_as_what_it_is_claimed_to_end_in() -> None:
    only_build = estimate(plan("baseline"), CLAIMS, DURATIONS, workers=1)
    only_refusal = estimate(plan("restricted"), CLAIMS, DURATIONS, workers=1)
    unclaimed = estimate(plan("privileged"), CLAIMS, DURATIONS, workers=1)
    assert [only_build, only_refusal, unclaimed] == [100 + 7 + 12, 100 + 7 + 2, 100 + 7 + 7]


def test_cells_run_side_by_side_but_none_takes_less_than_its_own_time() -> None:
    cells = plan("baseline", "baseline@v1.34", "baseline@v1.33", "baseline@v1.32")
    assert estimate(cells, CLAIMS, DURATIONS, workers=2) == 107 + 24
    assert estimate(cells, CLAIMS, DURATIONS, workers=100) == 107 + 12
    assert estimate(cells, CLAIMS, DURATIONS, workers=0) == 107 + 48


def test_a_provider_that_was_never_timed_takes_the_default() -> None:
    made = Plan(matrix="m", cells=(), controls=(cell("full", "privileged", provider="eks"),))
    assert estimate(made, [], DURATIONS, workers=1) == 1007


def test_of_several_claims_that_may_hold_the_longest_counts() -> None:
    both = [claim(conditions={"apparmor": False}), claim("psa-restricted-violation", conditions={"apparmor": True})]
    assert estimate(plan("baseline"), both, DURATIONS, workers=1) == 107 + 12
