"""What an API server said to pods, on a terminal: a line for each container and each check that it breaks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from conformance.admission import Answer, Verdict
from conformance.classify import CLASSES
from conformance.violations import Clause

_STYLES: Final = {Verdict.ADMITTED: "green", Verdict.REFUSED: "bold red", Verdict.EXEMPT: "yellow"}
_POD: Final = "(pod)"
#: What would move a terminal's cursor or colour it.
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def show(answers: Sequence[Answer], console: Console) -> None:
    """Print every answer, then what must be known to read them, then one sentence."""
    table = Table(box=None, pad_edge=False, show_edge=False)
    for name in ("workload", "level", "verdict", "container", "reason", "detail"):
        table.add_column(name, overflow="fold")
    for answer in answers:
        lead = (_text(answer.workload), _text(answer.level), Text(answer.verdict, style=_STYLES[answer.verdict]))
        for row in _rows(answer) or [("", "", "")]:
            table.add_row(*lead, *map(_text, row))
            lead = (Text(), Text(), Text())
    console.print(table)
    for line in dict.fromkeys(_remarks(answers)):
        console.print(_text(line))
    console.print(Text(sentence(answers), style="bold"))


def sentence(answers: Sequence[Answer]) -> str:
    """Say how many were admitted, refused and not checked."""
    counts = {verdict: sum(each.verdict is verdict for each in answers) for verdict in Verdict}
    parts = [f"{counts[Verdict.ADMITTED]} admitted", f"{counts[Verdict.REFUSED]} refused"]
    if counts[Verdict.EXEMPT]:
        parts.append(f"{counts[Verdict.EXEMPT]} exempt, so not checked")
    noun = "answer" if len(answers) == 1 else "answers"
    return f"{len(answers)} {noun}: {', '.join(parts)}"


def _rows(answer: Answer) -> list[tuple[str, str, str]]:
    """Return container, check and demand of a refusal, one container's together."""
    rows = [
        (who, violation.reason, clause.says + (" (there or on the pod)" if clause.or_pod else ""))
        for violation in answer.violations
        for clause in violation.clauses
        for who in _who(clause)
    ]
    rows += [(_POD, violation.reason, violation.detail) for violation in answer.violations if not violation.clauses]
    if answer.refused_by is not None and not rows:
        # Nobody's container is named: the message is all there is.
        rows = [("", answer.refused_by.value, answer.message)]
    order = list(dict.fromkeys(who for who, _, _ in rows))
    return sorted(rows, key=lambda row: order.index(row[0]))


def _who(clause: Clause) -> Iterator[str]:
    if clause.on_pod:
        yield _POD
    yield from clause.containers
    yield from (f"(volume {name})" for name in clause.volumes)


def _remarks(answers: Sequence[Answer]) -> Iterator[str]:
    for answer in answers:
        if answer.failure_class is not None:
            yield f"{answer.workload}: {answer.failure_class}: {CLASSES[answer.failure_class].remedy}"
        yield from (f"{answer.workload}: warning: {warning}" for warning in answer.warnings)
        yield from (f"{answer.workload}: {note}" for note in answer.notes)


def _text(raw: str) -> Text:
    return Text(_CONTROL.sub(" ", raw))
