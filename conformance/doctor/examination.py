"""Run the gates in order, up to the first that fails."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.classify import CLASSES
from conformance.doctor.gate import Gate
from conformance.doctor.gates import GATES
from conformance.doctor.installation import Installation
from conformance.doctor.reader import ForbiddenError
from conformance.doctor.records import Answer, Diagnosis, GateReport, Outcome, unproven


def examine(installation: Installation, *, server: str, gates: Sequence[Gate] = GATES) -> Diagnosis:
    """Return what each gate answered; `server` is the API server's version. Raises ApiError when it does not answer."""
    reports: list[GateReport] = []
    first_failed: str | None = None
    for gate in gates:
        if first_failed is None:
            reports.append(_ask(gate, installation))
        else:
            says = f"not asked, because {first_failed} failed"
            reports.append(GateReport(gate=gate.name, question=gate.question, outcome=Outcome.NOT_REACHED, says=says))
        if reports[-1].outcome is Outcome.FAILED:
            first_failed = gate.name
    return Diagnosis(
        namespace=installation.namespace,
        service=installation.name,
        address=installation.address,
        client=installation.client.title if installation.client is not None else None,
        server=server,
        first_failed=first_failed,
        gates=tuple(reports),
    )


def _ask(gate: Gate, installation: Installation) -> GateReport:
    rights: tuple[str, ...] = ()
    try:
        answer = gate.run(installation)
    except ForbiddenError as error:
        answer = unproven("this could not be looked at")
        rights = (error.right,)
    missing, overlooked = installation.reader.take_missing()
    return _report(gate, answer, tuple(dict.fromkeys((*rights, *missing))), overlooked)


def _report(gate: Gate, answer: Answer, missing: tuple[str, ...], overlooked: tuple[str, ...]) -> GateReport:
    outcome, remedy = answer.outcome, answer.remedy
    if outcome is Outcome.PASSED and missing:
        outcome = Outcome.UNPROVEN
    if outcome is Outcome.UNPROVEN and missing:
        remedy = remedy or "Ask again with the rights that are named here."
    class_ = CLASSES[answer.failure_class] if answer.failure_class else None
    return GateReport(
        gate=gate.name,
        question=gate.question,
        outcome=outcome,
        says=answer.says,
        failure_class=class_.name if class_ else None,
        meaning=class_.meaning if class_ else "",
        candidates=answer.candidates,
        remedy=remedy or (class_.remedy if class_ else ""),
        evidence=answer.evidence,
        missing_rights=missing,
        notes=(*answer.notes, *(f"not looked at, for want of a right: {right}" for right in overlooked)),
    )
