"""Hold a finding against its claim. Outcomes only get worse: nothing turns a doubt into a verdict."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from clusters.provider import Provenance
from conformance.claims import Resolution
from conformance.errors import ExitCode
from conformance.model import (
    HOLDS,
    UNCLASSIFIED,
    Cell,
    Claim,
    Finding,
    Outcome,
    ProbeFinding,
    Result,
    Role,
    StageReport,
    VerdictKind,
)


class ControlVerdict(NamedTuple):
    """Whether the control cell of a cluster built; if not, the class that stopped it."""

    builds: bool
    reason: str = ""


class Judgement(NamedTuple):
    """An outcome and, where it is not self-evident, why."""

    outcome: Outcome
    reason: str = ""


#: From good to bad. A cell that is judged twice keeps the worse.
SEVERITY: Final[Sequence[Outcome]] = (
    Outcome.AS_CLAIMED,
    Outcome.UNCLAIMED,
    Outcome.NOT_RUN,
    Outcome.INCONCLUSIVE,
    Outcome.UNEXPECTED_SUPPORT,
    Outcome.WRONG_CLASS,
    Outcome.UNEXPECTED_FAILURE,
)

_NO_VERDICT: Final = {
    VerdictKind.INFRASTRUCTURE: "it is infrastructure that failed, not the builder",
    VerdictKind.SYMPTOM: "only a symptom was seen, not its cause",
    VerdictKind.NOISE: "only noise was seen",
}


def judge(
    finding: Finding, cell: Cell, resolution: Resolution, *, control: ControlVerdict | None, unenforced: str = ""
) -> Judgement:
    """Return the outcome of a finding against what is claimed for its cell, and why.

    `control` is the verdict of the cluster's control cell in the same run, None when there is none: a failure is then
    inconclusive. The control cell itself is judged without one. `unenforced` says why the level's labels decide nothing
    there: then neither a build nor a failure says anything of the level.
    """
    if unenforced:
        return Judgement(Outcome.INCONCLUSIVE, f"its level decided nothing: {unenforced}")
    if finding.builds:
        return _judge_build(resolution)
    if (doubt := why_inconclusive(finding, cell, control)) is not None:
        return Judgement(Outcome.INCONCLUSIVE, doubt)
    return _judge_failure(finding, resolution)


def why_inconclusive(finding: Finding, cell: Cell, control: ControlVerdict | None) -> str | None:
    """Say why a failure proves nothing about its builder, or None when it does."""
    if cell.role is Role.SELECTED:
        if control is None:
            return "the control cell of this cluster has no verdict, so nothing shows that a build can work here"
        if not control.builds:
            return f"the control cell of this cluster could not build either ({control.reason or 'see its cell'})"
    if finding.class_ is None or finding.class_ == UNCLASSIFIED or finding.kind is None:
        return "no rule knows this failure: its evidence is kept, add a rule and replay the run"
    if finding.kind in _NO_VERDICT:
        return f"{finding.class_}: {_NO_VERDICT[finding.kind]}"
    if not finding.decisive:
        return f"the evidence allows several causes: {', '.join(dict.fromkeys((finding.class_, *finding.candidates)))}"
    return None


def _judge_build(resolution: Resolution) -> Judgement:
    claim = resolution.claim
    if claim is None:
        return Judgement(Outcome.UNCLAIMED, resolution.reason)
    if claim.supported:
        return Judgement(Outcome.AS_CLAIMED)
    return Judgement(Outcome.UNEXPECTED_SUPPORT, f"it builds, but {claim.expect} is claimed to refuse it")


def _judge_failure(finding: Finding, resolution: Resolution) -> Judgement:
    claim = resolution.claim
    if claim is None:
        return Judgement(Outcome.UNCLAIMED, resolution.reason)
    if claim.supported:
        return Judgement(Outcome.UNEXPECTED_FAILURE, f"it is claimed to build, but {finding.class_} refuses it")
    if claim.expect == finding.class_:
        return Judgement(Outcome.AS_CLAIMED)
    return Judgement(Outcome.WRONG_CLASS, f"{claim.expect} is claimed to refuse it, but {finding.class_} does")


def judge_probe(finding: ProbeFinding, resolution: Resolution) -> Judgement:
    """Return the outcome of what a probe found against what is claimed of it."""
    claim = resolution.claim
    if claim is None:
        return Judgement(Outcome.UNCLAIMED, resolution.reason)
    if claim.expect == finding.found:
        return Judgement(Outcome.AS_CLAIMED)
    if finding.found == HOLDS:
        return Judgement(Outcome.UNEXPECTED_SUPPORT, f"it holds, but {claim.expect} is claimed")
    if claim.expect == HOLDS:
        return Judgement(Outcome.UNEXPECTED_FAILURE, f"it is claimed to hold, but {finding.found} was found")
    return Judgement(Outcome.WRONG_CLASS, f"{claim.expect} is claimed, but {finding.found} was found")


def worse(one: Judgement, other: Judgement) -> Judgement:
    """Return the worse of two judgements of the same cell; the first where they are alike."""
    return max(one, other, key=lambda judgement: SEVERITY.index(judgement.outcome))


def settle(tries: Sequence[Judgement], claim: Claim | None) -> Judgement:
    """Return the judgement of a cell that was tried as often as its claim asks: as claimed when enough tries were.

    Where they were not, the worst try counts. Flakes stay visible: the reason names them.
    """
    worst = tries[0]
    for judgement in tries[1:]:
        worst = worse(worst, judgement)
    good = sum(judgement.outcome is Outcome.AS_CLAIMED for judgement in tries)
    if claim is None or good in {0, len(tries)}:
        return worst
    needed = claim.at_least or claim.repeats
    count = f"{good} of {len(tries)} tries as claimed, {needed} of {claim.repeats} asked for"
    if good >= needed:
        return Judgement(Outcome.AS_CLAIMED, f"{count}; the others: {worst.reason}")
    return Judgement(worst.outcome, f"{worst.reason} ({count})")


def result(
    cell: Cell,
    finding: Finding,
    resolution: Resolution,
    judgement: Judgement,
    *,
    provenance: Provenance,
    seconds: float,
    stages: Sequence[StageReport] = (),
    tries: Sequence[str] = (),
) -> Result:
    """Put together the line that `results.jsonl` keeps of a cell; `seconds` from namespace to verdict."""
    claim = resolution.claim
    return Result(
        cell=cell.id,
        cluster=cell.cluster,
        kubernetes=cell.kubernetes,
        level=str(cell.level),
        builder=cell.builder.name,
        role=cell.role,
        provenance=provenance,
        outcome=judgement.outcome,
        optional=cell.optional,
        class_=finding.class_,
        layer=finding.layer,
        kind=finding.kind,
        stage=finding.stage,
        claim=claim.expect if claim is not None else None,
        claim_source=claim.source if claim is not None else "",
        evidence=finding.evidence,
        candidates=finding.candidates,
        reason=judgement.reason,
        remarks=finding.remarks,
        seconds=seconds,
        stages=tuple(stages),
        tries=tuple(tries),
    )


def not_run(cell: Cell, reason: str, *, provenance: Provenance = Provenance.GENUINE) -> Result:
    """Return the line of a planned cell that never ran, and why it did not."""
    return Result(
        cell=cell.id,
        cluster=cell.cluster,
        kubernetes=cell.kubernetes,
        level=str(cell.level),
        builder=cell.builder.name,
        role=cell.role,
        provenance=provenance,
        outcome=Outcome.NOT_RUN,
        optional=cell.optional,
        reason=reason,
    )


def exit_code(
    results: Iterable[Result], *, interrupted: bool = False, usage: bool = False, infrastructure: bool = False
) -> ExitCode:
    """Return how a run ends: the first of 130, 3, 1, 2, 4 that applies, else 0.

    A run with a hole (an inconclusive cell, one that never ran, a control that did not build) is partial and ends 2,
    never 0; one where nothing ran at all and nothing was wrong ends 4. Control cells are not counted otherwise, nor are
    optional cells that did not run. A probe counts like a cell; one that did not run is a
    hole only where it is claimed.
    """
    seen = tuple(results)
    counted = [
        line.outcome
        for line in seen
        if line.role is Role.SELECTED and not (line.optional and line.outcome is Outcome.NOT_RUN)
    ]
    ran = [outcome for outcome in counted if outcome is not Outcome.NOT_RUN]
    looked = [probe for line in seen if line.role is Role.SELECTED for probe in line.probes]
    holes = [probe for probe in looked if probe.outcome is Outcome.NOT_RUN and probe.claim is not None]
    no_control = any(line.role is Role.CONTROL and line.class_ is not None for line in seen)
    if interrupted:
        return ExitCode.INTERRUPTED
    if usage:
        return ExitCode.USAGE
    if any(outcome.breaks_claim for outcome in (*counted, *(probe.outcome for probe in looked))):
        return ExitCode.CLAIMS_BROKEN
    doubtful = [outcome for outcome in (*ran, *(probe.outcome for probe in looked)) if outcome is Outcome.INCONCLUSIVE]
    if infrastructure or no_control or doubtful or holes or (ran and len(ran) < len(counted)):
        return ExitCode.INFRASTRUCTURE
    return ExitCode.AS_CLAIMED if ran else ExitCode.NOTHING_RAN
