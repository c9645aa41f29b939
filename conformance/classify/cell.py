"""Classify what was seen of a cell: a pure function of the observation, so that it can be done again from disk."""

from __future__ import annotations

from typing import Final

from conformance.classify.catalogue import CLASSES
from conformance.classify.connection import Fault, fault_behind, open_door
from conformance.classify.matcher import scan
from conformance.classify.precedence import Ranked, Weight, rank
from conformance.classify.records import Hit, Tier
from conformance.classify.remarks import remarks
from conformance.classify.settle import OBSERVATION_FILE, settle
from conformance.classify.state import as_state, final_hits, state_hits
from conformance.model import (
    UNCLASSIFIED,
    Evidence,
    Finding,
    Layer,
    Observation,
    Source,
    SourceKind,
    Stage,
    StageReport,
    StageStatus,
    VerdictKind,
)

_STATE_TEXTS: Final = frozenset({SourceKind.EVENT, SourceKind.STATUS})
#: The API and what repeats its answers: what stands there of a stage that was passed in the end was transient.
_OF_THE_API: Final = _STATE_TEXTS | {SourceKind.API, SourceKind.HELM}
_PULL_CLASSES: Final = "image-"
#: Kinds that say something definite of the builder or its input: waiting longer mends none of them.
_DEFINITE: Final = frozenset(
    {VerdictKind.UNSUPPORTED, VerdictKind.NODE_PREREQUISITE, VerdictKind.DEFECT, VerdictKind.BAD_INPUT}
)
#: State that contradicts a green build although every stage passed.
_AFTERMATH: Final = frozenset({"oom-killed", "pod-evicted"})


def classify(observation: Observation) -> Finding:
    """Return what the observation says: that it builds, or which class stopped it and on what evidence."""
    failed = observation.failed_stage
    if failed is None and _passed(observation):
        return _after_green(observation)
    return _finding(observation, rank(_hits(observation)), failed)


def decided_early(observation: Observation) -> bool:
    """Say whether what is seen already shows a cause that waiting cannot mend.

    Of a builder that has died, facts need not be known yet: they choose among causes, they do not bring it back. One
    that runs is given up only where facts prove that its client will never be let in.
    """
    best = rank(_hits(observation)).best
    if best is not None and _is_proven(best, observation):
        return True
    dead = any(
        container.name == observation.builder_container
        and (container.state == "terminated" or container.restarts > 0 or container.last_terminated is not None)
        for pod in observation.pods
        for container in pod.containers
    )
    if not dead or best is None or best.tier > Tier.CAUSE:
        return False
    return best.class_.kind in _DEFINITE or best.class_.name in _AFTERMATH


def _is_proven(hit: Hit, observation: Observation) -> bool:
    fault = fault_behind(hit.class_.name, observation)
    return fault is not None and settle(hit, observation)[0].class_.name == fault.class_


def _passed(observation: Observation) -> bool:
    statuses = {report.status for report in observation.stages}
    return StageStatus.PASSED in statuses and StageStatus.FAILED not in statuses


def _after_green(observation: Observation) -> Finding:
    """Judge a cell whose stages passed: restarts, memory and evictions after the build speak against it."""
    every = (*final_hits(observation), *state_hits(observation))
    state = rank(hit for hit in every if hit.class_.name in _AFTERMATH)
    ranked = rank(_hits(observation))
    restarts = max(
        (c.restarts for pod in observation.pods for c in pod.containers if c.name == observation.builder_container),
        default=0,
    )
    if state.best is None and restarts == 0:
        if (fault := open_door(observation.connection)) is not None:
            return _unguarded(observation, ranked, fault)
        return Finding(builds=True, evidence=_proof(observation), remarks=remarks(observation, ranked))
    if state.best is not None:
        return _finding(observation, state, None, _extra="every stage passed, but the state afterwards says otherwise")
    said = f"every stage passed, but container {observation.builder_container} was restarted {restarts} times"
    return _finding(observation, ranked, None, _extra=said)


def _unguarded(observation: Observation, ranked: Ranked, fault: Fault) -> Finding:
    """Return that it builds for everybody: a finding, not a success."""
    class_ = CLASSES[fault.class_]
    said = tuple(hit.evidence for hit in ranked.hits if hit.class_ is class_)
    fact = Evidence(file=OBSERVATION_FILE, line=0, text=f"{fault.reason}, and builds pass")
    return Finding(
        builds=False,
        class_=class_.name,
        layer=class_.layer,
        kind=class_.kind,
        evidence=(*said, fact),
        detail=fault.reason,
        remarks=(*remarks(observation, ranked), "every stage passed, for a client that shows no certificate"),
    )


def _finding(observation: Observation, ranked: Ranked, failed: StageReport | None, _extra: str = "") -> Finding:
    best = ranked.best
    said = (*remarks(observation, ranked), *((_extra,) if _extra else ()))
    stage = failed.stage if failed is not None else None
    if best is None or ranked.weights[best.class_.name] >= Weight.BACKGROUND:
        return Finding(
            builds=False,
            class_=UNCLASSIFIED,
            stage=stage,
            evidence=_last_words(observation, failed),
            decisive=False,
            remarks=said,
        )
    settled, facts = settle(best, observation)
    candidates = [
        name for name in (*settled.also, *ranked.candidates()) if name not in {settled.class_.name, *best.also}
    ]
    candidates += [name for name in best.also if name in settled.also]
    return Finding(
        builds=False,
        class_=settled.class_.name,
        layer=settled.class_.layer,
        kind=settled.class_.kind,
        stage=stage,
        evidence=(settled.evidence, *facts),
        candidates=tuple(dict.fromkeys(candidates)),
        decisive=settled.decisive,
        detail=settled.detail,
        remarks=said,
    )


def _proof(observation: Observation) -> tuple[Evidence, ...]:
    """Return the last line of the texts of the last stages that left any: what shows that it builds."""
    passed = [report.stage for report in observation.stages if report.status is StageStatus.PASSED]
    for stage in reversed(passed):
        found = [source for source in observation.sources if source.stage is stage and source.text.strip()]
        if found:
            lines = [(source.file, source.text.rstrip().splitlines()) for source in found]
            return tuple(Evidence(file=file, line=len(text), text=text[-1][:1000]) for file, text in lines)
    return ()


def _last_words(observation: Observation, failed: StageReport | None) -> tuple[Evidence, ...]:
    """Return where to start reading when no rule knows the failure."""
    evidence = [Evidence(file=OBSERVATION_FILE, line=0, text=failed.detail)] if failed and failed.detail else []
    for source in observation.sources:
        if failed is not None and source.stage is failed.stage and source.text.strip():
            lines = source.text.rstrip().splitlines()
            evidence.append(Evidence(file=source.file, line=len(lines), text=lines[-1][:1000]))
    return tuple(evidence)


def _hits(observation: Observation) -> list[Hit]:
    passed = {report.stage for report in observation.stages if report.status is StageStatus.PASSED}
    failed = observation.failed_stage
    hits = final_hits(observation)
    hits += [hit for hit in state_hits(observation) if not _transient(hit, passed, failed)]
    for order, source in enumerate(observation.sources, start=1):
        if not source.text or source.stage in passed:
            continue
        fleeting = source.kind in _OF_THE_API and source.stage is None
        hits += [hit for hit in _scan(source, order) if not (fleeting and _transient(hit, passed, failed))]
    return hits


def _scan(source: Source, order: int) -> list[Hit]:
    found = scan(source.text.encode("utf-8", "surrogatepass"), kind=source.kind, file=source.file, order=order)
    return [as_state(hit) for hit in found] if source.kind in _STATE_TEXTS else found


def _transient(hit: Hit, passed: set[Stage], failed: StageReport | None) -> bool:
    """Say whether the stage that this class stops was passed all the same: then it was only so for a while."""
    if failed is not None and failed.stage is Stage.RUN_IMAGE:
        # Another pod is admitted, placed and pulled there.
        return False
    match hit.class_.layer:
        case Layer.ADMISSION:
            return Stage.ADMISSION in passed
        case Layer.SCHEDULING:
            return Stage.SCHEDULE in passed
        case Layer.RUNTIME if hit.class_.name.startswith(_PULL_CLASSES):
            return Stage.PULL in passed
        case Layer.RUNTIME:
            return Stage.START in passed and hit.class_.kind is not VerdictKind.SYMPTOM
        case _:
            return False
