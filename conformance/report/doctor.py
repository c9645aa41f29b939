"""A diagnosis on a terminal: a line a gate, and under the one that failed what it rests on and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from rich.console import Console
from rich.text import Text

from conformance.doctor import Diagnosis, GateReport, Outcome

_MARKS: Final = {
    Outcome.PASSED: ("✔", "green"),
    Outcome.FAILED: ("✘", "bold red"),
    Outcome.UNPROVEN: ("?", "yellow"),
    Outcome.NOT_REACHED: ("-", "dim"),
}
#: What would move a terminal's cursor or colour it.
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def show(diagnosis: Diagnosis, console: Console) -> None:
    """Print every gate and, in the end, one sentence."""
    asked = f"asked from {diagnosis.client}" if diagnosis.client else "no client to ask from"
    head = f"{diagnosis.namespace}/{diagnosis.service} at {diagnosis.address}, {asked}, Kubernetes {diagnosis.server}"
    console.print(_text(head))
    for number, report in enumerate(diagnosis.gates, start=1):
        mark, style = _MARKS[report.outcome]
        line = Text(f"{mark} {number} {report.gate:<10} ", style=style)
        console.print(line.append_text(_text(f"{report.outcome}: {report.says}")))
        for name, value in _rows(report):
            console.print(_text(f"      {name:<10} {value}"))
    console.print(Text(sentence(diagnosis), style="bold"))


def sentence(diagnosis: Diagnosis) -> str:
    """Say how it ended: all passed, the first gate that failed, or what is not proven."""
    if diagnosis.first_failed is not None:
        report = next(each for each in diagnosis.gates if each.gate == diagnosis.first_failed)
        return f"first failing gate: {report.gate}" + (f" ({report.failure_class})" if report.failure_class else "")
    if open_ := [each.gate for each in diagnosis.gates if each.outcome is Outcome.UNPROVEN]:
        return f"no gate failed, and not proven: {', '.join(open_)}"
    return f"all {len(diagnosis.gates)} gates passed"


def _rows(report: GateReport) -> Iterator[tuple[str, str]]:
    if report.outcome in {Outcome.FAILED, Outcome.UNPROVEN}:
        yield "question", report.question
    if report.failure_class:
        yield "class", f"{report.failure_class}: {report.meaning}"
    if report.candidates:
        yield "candidates", ", ".join(report.candidates)
    if report.outcome is not Outcome.PASSED:
        yield from (("seen", line) for line in report.evidence)
    yield from (("right", f"missing: {right}") for right in report.missing_rights)
    if report.remedy:
        yield "remedy", report.remedy
    yield from (("note", line) for line in report.notes)


def _text(raw: str) -> Text:
    return Text(_CONTROL.sub(" ", raw))
