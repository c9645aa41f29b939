"""Read the values behind a class out of a message."""

from __future__ import annotations

import re
from typing import Final

from conformance.classify.normalise import INNER
from conformance.violations import parse

#: What pod-security-admission writes before its reasons, for texts that only quote the reasons.
_HEADER: Final = 'violates PodSecurity "baseline:latest": '
_LONGEST: Final = 2000


def violations(text: str) -> str:
    """Return every `reason (detail)` pair of a Pod Security refusal, joined by `; `; empty where it names none."""
    text = text[:_LONGEST].replace(INNER.decode(), " ")
    refusal = parse(text) or parse(_HEADER + text)
    found = refusal.violations if refusal is not None else ()
    return "; ".join(f"{each.reason} ({' '.join(each.detail.split())})" for each in found)


def message(text: str) -> str:
    """Return the first line of the message, for classes whose text says all there is to know."""
    return " ".join(re.split(r"[\n\x0c]", text, maxsplit=1)[0].split())[:300]
