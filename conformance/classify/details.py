"""Read the values behind a class out of a message."""

from __future__ import annotations

import re
from typing import Final

_AFTER_LEVEL: Final = re.compile(
    r'PodSecurity\W{0,4}(?:privileged|baseline|restricted)[:\w.]*"?\s*:?\s*', re.IGNORECASE
)
#: What Pod Security admission calls a violation: a short reason, and in brackets who and what.
_REASON: Final = re.compile(r"\s*,?\s*([A-Za-z][^(),\n]{0,80}?)\s*\(")
_LONGEST: Final = 2000


def violations(text: str) -> str:
    """Return every `reason (detail)` pair of a Pod Security refusal, joined by `; `; empty where it names none.

    The form is that of k8s.io/pod-security-admission `policy.AggregateCheckResults`: brackets nest in quoted values.
    """
    start = _AFTER_LEVEL.search(text)
    rest = text[start.end() :] if start else text
    rest = rest.replace("\x1d", " ").replace("\x0c", " ")[:_LONGEST]
    pairs = []
    position = 0
    while (reason := _REASON.match(rest, position)) is not None:
        end = _closing(rest, reason.end())
        if end < 0:
            break
        pairs.append(f"{reason.group(1)} ({' '.join(rest[reason.end() : end].split())})")
        position = end + 1
    return "; ".join(pairs)


def _closing(text: str, position: int) -> int:
    """Return where the bracket opened before `position` closes; -1 where it does not."""
    depth = 1
    for place in range(position, len(text)):
        depth += (text[place] == "(") - (text[place] == ")")
        if depth == 0:
            return place
    return -1


def message(text: str) -> str:
    """Return the first line of the message, for classes whose text says all there is to know."""
    return " ".join(re.split(r"[\n\x0c]", text, maxsplit=1)[0].split())[:300]
