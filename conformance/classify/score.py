"""Hold the rules against texts whose class is known."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from conformance.classify.catalogue import CLASSES
from conformance.classify.text import classify_text
from conformance.errors import UsageError
from conformance.model import VerdictKind

_NOTHING: Final = "-"
_DEFINITE: Final = frozenset({VerdictKind.UNSUPPORTED, VerdictKind.NODE_PREREQUISITE})


@dataclass(frozen=True, kw_only=True, slots=True)
class Labelled:
    """A text and the class that somebody says it is."""

    id: str
    label: str
    text: str
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """A labelled text and what the rules make of it."""

    labelled: Labelled
    #: `-` where no rule matches.
    found: str
    candidates: tuple[str, ...]

    @property
    def right(self) -> bool:
        """Say whether the rules found the label."""
        return self.found == self.labelled.label

    @property
    def false_verdict(self) -> bool:
        """Say whether noise was taken for a definite verdict: the worst that can happen."""
        label, found = CLASSES.get(self.labelled.label), CLASSES.get(self.found)
        noise = label is not None and label.kind is VerdictKind.NOISE
        return noise and found is not None and found.kind in _DEFINITE


def read(lines: Iterable[str]) -> list[Labelled]:
    """Read lines of `{"id", "label", "text", "source"}`. Raises UsageError naming every line that is not such."""
    labelled, faults = [], []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            labelled.append(
                Labelled(
                    id=str(record.get("id", number)),
                    label=record["label"],
                    text=record["text"],
                    source=str(record.get("source", "")),
                )
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            faults.append(f'line {number}: want an object with "id", "label", "text" and "source": {error!r}')
    if faults:
        raise UsageError(*faults)
    return labelled


def judge(labelled: Iterable[Labelled]) -> list[Judged]:
    """Classify each text by itself."""
    judged = []
    for each in labelled:
        finding = classify_text(each.text)
        judged.append(Judged(labelled=each, found=finding.class_ or _NOTHING, candidates=finding.candidates))
    return judged


def report(judged: list[Judged]) -> str:
    """Return the score, the score of two halves split by source, the confusions and the misses."""
    first, second = halves(judged)
    lines = [
        f"{_rate(judged)} right",
        f"split by source: {_rate(first)} of one half, {_rate(second)} of the other",
        f"noise taken for U or N: {sum(each.false_verdict for each in judged)}",
    ]
    by_label = Counter(each.labelled.label for each in judged)
    right = Counter(each.labelled.label for each in judged if each.right)
    lines += ["", f"{'class':44} {'texts':>5} {'right':>5}  taken for"]
    for label in sorted(by_label):
        wrong = Counter(each.found for each in judged if each.labelled.label == label and not each.right)
        taken = ", ".join(f"{name} x{count}" for name, count in wrong.most_common())
        lines.append(f"{label:44} {by_label[label]:5} {right[label]:5}  {taken}".rstrip())
    for each in judged:
        if not each.right:
            lines += ["", f"{each.labelled.id}: {each.labelled.label} taken for {each.found} [{each.labelled.source}]"]
            lines += [f"    {line[:200]}" for line in each.labelled.text.splitlines()[:6]]
    return "\n".join(lines)


def halves(judged: list[Judged]) -> tuple[list[Judged], list[Judged]]:
    """Split by source, so that no source is in both: every other one of the sorted sources."""
    sources = sorted({each.labelled.source for each in judged})
    even = frozenset(sources[::2])
    return [j for j in judged if j.labelled.source in even], [j for j in judged if j.labelled.source not in even]


def _rate(judged: list[Judged]) -> str:
    right = sum(each.right for each in judged)
    return f"{right} of {len(judged)} ({100 * right / max(len(judged), 1):.1f} %)"
