from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusters.provider import Provenance
from conformance.claims import Resolution
from conformance.errors import ExitCode
from conformance.judge import SEVERITY, ControlVerdict, Judgement, exit_code, judge, not_run, result, settle, worse
from conformance.model import UNCLASSIFIED, Finding, Outcome, ProbeResult, Result, Role, VerdictKind
from tests.conformance import records
from tests.conformance.records import BUILDS, cell, claim, control, failure, resolved

GOOD = ControlVerdict(builds=True)
BAD = ControlVerdict(builds=False, reason="disk-full")
EPERM = "rootlesskit-clone-eperm"


def outcome(finding: Finding, expect: str | None, verdict: ControlVerdict | None = GOOD) -> Outcome:
    return judge(finding, cell(), resolved(expect), control=verdict).outcome


@pytest.mark.parametrize(
    ("finding", "expect", "wanted"),
    [
        (BUILDS, "supported", Outcome.AS_CLAIMED),
        (BUILDS, EPERM, Outcome.UNEXPECTED_SUPPORT),
        (BUILDS, None, Outcome.UNCLAIMED),
        (failure(EPERM), EPERM, Outcome.AS_CLAIMED),
        (failure(EPERM), "supported", Outcome.UNEXPECTED_FAILURE),
        (failure(EPERM), "psa-baseline-violation", Outcome.WRONG_CLASS),
        (failure(EPERM), None, Outcome.UNCLAIMED),
    ],
)
def test_a_finding_is_held_against_its_claim(finding: Finding, expect: str | None, wanted: Outcome) -> None:
    assert outcome(finding, expect) is wanted


@pytest.mark.parametrize("finding", [BUILDS, failure(EPERM)])
@pytest.mark.parametrize("expect", ["supported", EPERM, None])
def test_where_the_level_is_not_enforced_neither_a_build_nor_a_failure_says_anything(
    finding: Finding, expect: str | None
) -> None:
    said = judge(finding, cell(), resolved(expect), control=GOOD, unenforced="the namespace is exempt")
    assert said == Judgement(Outcome.INCONCLUSIVE, "its level decided nothing: the namespace is exempt")


@pytest.mark.parametrize(
    "kind", [VerdictKind.UNSUPPORTED, VerdictKind.NODE_PREREQUISITE, VerdictKind.DEFECT, VerdictKind.BAD_INPUT]
)
def test_a_cause_breaks_a_claim_of_support(kind: VerdictKind) -> None:
    assert outcome(failure(kind=kind), "supported") is Outcome.UNEXPECTED_FAILURE


@pytest.mark.parametrize(
    "doubtful",
    [
        failure("disk-full", kind=VerdictKind.INFRASTRUCTURE),
        failure("helm-timeout", kind=VerdictKind.SYMPTOM),
        failure("psa-warning", kind=VerdictKind.NOISE),
        failure(UNCLASSIFIED, kind=None, layer=None),
        failure(UNCLASSIFIED),
        failure(EPERM, kind=None),
        failure("rootlesskit-newuidmap-eperm", decisive=False, candidates=("rootlesskit-subid-missing",)),
    ],
)
@pytest.mark.parametrize("expect", ["supported", "same", "psa-baseline-violation", None])
def test_a_doubtful_failure_is_inconclusive_whatever_is_claimed(doubtful: Finding, expect: str | None) -> None:
    assert outcome(doubtful, doubtful.class_ if expect == "same" else expect) is Outcome.INCONCLUSIVE


def test_an_ambiguous_failure_names_its_candidates() -> None:
    finding = failure("a-class", decisive=False, candidates=("b-class", "a-class", "c-class"))
    assert judge(finding, cell(), resolved("supported"), control=GOOD).reason.endswith("a-class, b-class, c-class")


@pytest.mark.parametrize("expect", ["supported", EPERM, None])
@pytest.mark.parametrize("verdict", [BAD, None])
def test_a_failure_beside_a_control_that_does_not_build_is_inconclusive(
    expect: str | None, verdict: ControlVerdict | None
) -> None:
    assert outcome(failure(EPERM), expect, verdict) is Outcome.INCONCLUSIVE


def test_the_reason_names_what_stopped_the_control() -> None:
    assert "disk-full" in judge(failure(), cell(), resolved(EPERM), control=BAD).reason


@pytest.mark.parametrize("verdict", [BAD, None])
def test_a_build_counts_without_a_control(verdict: ControlVerdict | None) -> None:
    assert outcome(BUILDS, "supported", verdict) is Outcome.AS_CLAIMED


def test_the_control_cell_is_judged_without_a_control() -> None:
    assert judge(failure(), control(), resolved("supported"), control=None).outcome is Outcome.UNEXPECTED_FAILURE


def test_an_unclaimed_cell_says_why() -> None:
    assert judge(BUILDS, cell(), Resolution(claim=None, reason="apparmor is not known"), control=GOOD) == Judgement(
        Outcome.UNCLAIMED, "apparmor is not known"
    )


KINDS = st.sampled_from([*VerdictKind, None])
CLASSES = st.sampled_from([EPERM, "psa-baseline-violation", UNCLASSIFIED])
FINDINGS = st.one_of(
    st.just(BUILDS),
    st.builds(lambda name, kind, decisive: failure(name, kind=kind, decisive=decisive), CLASSES, KINDS, st.booleans()),
)
EXPECTED = st.sampled_from(["supported", EPERM, "psa-baseline-violation", None])
CONTROLS = st.sampled_from([GOOD, BAD, None])


@given(FINDINGS, EXPECTED, CONTROLS)
def test_a_doubt_never_becomes_a_verdict(finding: Finding, expect: str | None, verdict: ControlVerdict | None) -> None:
    judged = outcome(finding, expect, verdict)
    doubtful = finding.kind in {VerdictKind.INFRASTRUCTURE, VerdictKind.SYMPTOM, VerdictKind.NOISE, None}
    if not finding.builds and (doubtful or not finding.decisive or finding.class_ == UNCLASSIFIED or verdict != GOOD):
        assert judged is Outcome.INCONCLUSIVE
    else:
        assert judged is not Outcome.INCONCLUSIVE


@given(FINDINGS, EXPECTED, CONTROLS)
def test_losing_the_control_never_improves_an_outcome(
    finding: Finding, expect: str | None, verdict: ControlVerdict | None
) -> None:
    with_control, without = outcome(finding, expect, GOOD), outcome(finding, expect, verdict)
    assert without in {with_control, Outcome.INCONCLUSIVE}


@given(FINDINGS, EXPECTED, CONTROLS)
def test_every_outcome_but_the_claimed_one_says_why(
    finding: Finding, expect: str | None, verdict: ControlVerdict | None
) -> None:
    judged = judge(finding, cell(), resolved(expect), control=verdict)
    assert bool(judged.reason) is (judged.outcome is not Outcome.AS_CLAIMED)


JUDGEMENTS = st.builds(Judgement, st.sampled_from(list(Outcome)), st.text(max_size=3))


@given(JUDGEMENTS, JUDGEMENTS)
def test_of_two_judgements_the_worse_stays(one: Judgement, other: Judgement) -> None:
    kept = worse(one, other)
    assert SEVERITY.index(kept.outcome) == max(SEVERITY.index(one.outcome), SEVERITY.index(other.outcome))
    assert kept.outcome is worse(other, one).outcome


def test_every_outcome_has_a_severity() -> None:
    assert sorted(SEVERITY) == sorted(Outcome)
    broken = [outcome.breaks_claim for outcome in SEVERITY]
    assert broken == sorted(broken)


AS_CLAIMED = Judgement(Outcome.AS_CLAIMED)
FAILED = Judgement(Outcome.UNEXPECTED_FAILURE, "it failed")


def test_enough_good_tries_are_as_claimed_and_the_flake_is_told() -> None:
    settled = settle([AS_CLAIMED, FAILED, AS_CLAIMED], claim(repeats=3, at_least=2))
    assert settled.outcome is Outcome.AS_CLAIMED
    assert settled.reason == "2 of 3 tries as claimed, 2 of 3 asked for; the others: it failed"


def test_too_few_good_tries_are_the_worst_of_them() -> None:
    settled = settle([AS_CLAIMED, FAILED, AS_CLAIMED], claim(repeats=3))
    assert settled == Judgement(Outcome.UNEXPECTED_FAILURE, "it failed (2 of 3 tries as claimed, 3 of 3 asked for)")


@given(st.lists(JUDGEMENTS, min_size=1, max_size=6))
def test_tries_without_a_claim_are_the_worst_of_them(tries: list[Judgement]) -> None:
    severest = max(SEVERITY.index(one.outcome) for one in tries)
    assert settle(tries, None).outcome is SEVERITY[severest]


@given(st.lists(JUDGEMENTS, min_size=1, max_size=6), st.integers(0, 6))
def test_a_settled_cell_is_never_better_than_its_best_try(tries: list[Judgement], at_least: int) -> None:
    best = min(SEVERITY.index(one.outcome) for one in tries)
    assert SEVERITY.index(settle(tries, claim(repeats=6, at_least=at_least)).outcome) >= best


def test_a_result_says_what_was_found_claimed_and_judged() -> None:
    finding = failure(EPERM, remarks=("r",), candidates=("c",))
    judged = Judgement(Outcome.WRONG_CLASS, "why")
    line = result(
        cell(level="baseline@v1.34"),
        finding,
        resolved("psa-baseline-violation"),
        judged,
        provenance=Provenance.STAND_IN,
        seconds=2.5,
        tries=["disk-full"],
    )
    assert line.model_dump(mode="json", by_alias=True) == {
        "cell": "embedded-1.35-baseline-v1.34-rootless-unset",
        "cluster": "embedded-1.35",
        "kubernetes": "1.35",
        "level": "baseline@v1.34",
        "builder": "rootless-unset",
        "role": "selected",
        "provenance": "stand-in",
        "outcome": "wrong-class",
        "optional": False,
        "class": EPERM,
        "layer": "rootlesskit",
        "kind": "U",
        "stage": None,
        "claim": "psa-baseline-violation",
        "claim_source": "seen",
        "evidence": [
            {"file": "logs/buildkitd.log", "line": 3, "text": "fork/exec: operation not permitted"},
        ],
        "candidates": ["c"],
        "reason": "why",
        "remarks": ["r"],
        "seconds": 2.5,
        "stages": [],
        "tries": ["disk-full"],
        "probes": [],
    }


def of(outcome: Outcome, **changes: Any) -> Result:  # noqa: ANN401 - any field
    return records.result(outcome=outcome, **changes)


CLAIMED = of(Outcome.AS_CLAIMED)
SKIPPED = not_run(cell(), "no time")


@pytest.mark.parametrize(
    ("results", "wanted"),
    [
        ([CLAIMED], ExitCode.AS_CLAIMED),
        ([CLAIMED, of(Outcome.UNCLAIMED)], ExitCode.AS_CLAIMED),
        ([of(Outcome.UNEXPECTED_SUPPORT)], ExitCode.CLAIMS_BROKEN),
        ([CLAIMED, of(Outcome.UNEXPECTED_FAILURE)], ExitCode.CLAIMS_BROKEN),
        ([of(Outcome.WRONG_CLASS), of(Outcome.INCONCLUSIVE), SKIPPED], ExitCode.CLAIMS_BROKEN),
        ([of(Outcome.INCONCLUSIVE)], ExitCode.INFRASTRUCTURE),
        ([CLAIMED, of(Outcome.INCONCLUSIVE)], ExitCode.INFRASTRUCTURE),
        ([CLAIMED, SKIPPED], ExitCode.INFRASTRUCTURE),
        ([SKIPPED], ExitCode.NOTHING_RAN),
        ([], ExitCode.NOTHING_RAN),
    ],
)
def test_a_run_ends_as_its_cells_did(results: list[Result], wanted: ExitCode) -> None:
    assert exit_code(results) is wanted


def test_a_control_that_does_not_build_is_infrastructure_though_it_breaks_its_claim() -> None:
    bad = of(Outcome.UNEXPECTED_FAILURE, role=Role.CONTROL, class_=EPERM)
    assert exit_code([CLAIMED, bad]) is ExitCode.INFRASTRUCTURE


def test_a_control_that_builds_is_not_a_cell_that_ran() -> None:
    assert exit_code([of(Outcome.AS_CLAIMED, role=Role.CONTROL), SKIPPED]) is ExitCode.NOTHING_RAN


def test_a_cluster_that_never_came_up_is_infrastructure_and_not_nothing() -> None:
    assert exit_code([SKIPPED], infrastructure=True) is ExitCode.INFRASTRUCTURE


@given(
    results=st.lists(st.sampled_from(list(Outcome)).map(of), max_size=4),
    interrupted=st.booleans(),
    usage=st.booleans(),
    infrastructure=st.booleans(),
)
def test_the_first_exit_code_of_the_order_applies(
    *, results: list[Result], interrupted: bool, usage: bool, infrastructure: bool
) -> None:
    code = exit_code(results, interrupted=interrupted, usage=usage, infrastructure=infrastructure)
    if interrupted:
        assert code is ExitCode.INTERRUPTED
    elif usage:
        assert code is ExitCode.USAGE
    elif any(line.outcome.breaks_claim for line in results):
        assert code is ExitCode.CLAIMS_BROKEN
    elif infrastructure:
        assert code is ExitCode.INFRASTRUCTURE
    elif code is ExitCode.AS_CLAIMED:
        assert {line.outcome for line in results} <= {Outcome.AS_CLAIMED, Outcome.UNCLAIMED}


def looked(outcome: Outcome, claimed: str | None = "holds", role: Role = Role.SELECTED) -> Result:
    probe = ProbeResult(probe="kill", outcome=outcome, claim=claimed)
    return of(Outcome.AS_CLAIMED, role=role).model_copy(update={"probes": (probe,)})


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (looked(Outcome.AS_CLAIMED), ExitCode.AS_CLAIMED),
        (looked(Outcome.UNCLAIMED, None), ExitCode.AS_CLAIMED),
        (looked(Outcome.UNEXPECTED_FAILURE), ExitCode.CLAIMS_BROKEN),
        (looked(Outcome.UNEXPECTED_SUPPORT), ExitCode.CLAIMS_BROKEN),
        (looked(Outcome.WRONG_CLASS), ExitCode.CLAIMS_BROKEN),
        (looked(Outcome.INCONCLUSIVE), ExitCode.INFRASTRUCTURE),
        (looked(Outcome.NOT_RUN), ExitCode.INFRASTRUCTURE),
        # What nobody claims and cannot be looked at is no hole.
        (looked(Outcome.NOT_RUN, None), ExitCode.AS_CLAIMED),
    ],
)
def test_a_probe_counts_towards_the_exit_code_and_leaves_its_cell_as_it_is(line: Result, wanted: ExitCode) -> None:
    assert exit_code([line]) is wanted
    assert line.outcome is Outcome.AS_CLAIMED
    assert line.breaks_claim is (wanted is ExitCode.CLAIMS_BROKEN)
