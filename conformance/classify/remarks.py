"""Things seen in a cell that are worth saying though they are not the verdict."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.classify.facts import Facts
from conformance.classify.precedence import Ranked, Weight
from conformance.model import Observation, Stage, StageStatus


def remarks(observation: Observation, ranked: Ranked) -> tuple[str, ...]:
    """Return a sentence for each."""
    facts = Facts.of(observation)
    return (*_prediction(observation), *_user_namespace(facts), *_background(ranked))


def _prediction(observation: Observation) -> Iterator[str]:
    prediction = observation.prediction
    live = next((report.status for report in observation.stages if report.stage is Stage.ADMISSION), None)
    if prediction is None or live not in {StageStatus.PASSED, StageStatus.FAILED}:
        return
    if prediction.admitted and live is StageStatus.FAILED:
        yield "the dry run was admitted, but the live pod was refused"
    if not prediction.admitted and live is StageStatus.PASSED:
        yield f"the dry run was refused ({_first_line(prediction.message)}), but the live pod was admitted"


def _user_namespace(facts: Facts) -> Iterator[str]:
    if not facts.asks_for_user_namespace:
        return
    if facts.admitted_user_namespace is False:
        yield "hostUsers: false was asked for and the server dropped it: the pod has no user namespace of its own"
    elif facts.in_user_namespace is False:
        yield "hostUsers: false was admitted, but /proc/self/uid_map shows no user namespace in force"


def _background(ranked: Ranked) -> Iterator[str]:
    for hit in ranked.of(Weight.BACKGROUND):
        yield f"{hit.class_.name}: {hit.class_.meaning} ({hit.evidence.file}:{hit.evidence.line})"


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0][:300]
