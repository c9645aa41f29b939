"""What a gate is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from conformance.doctor.installation import Installation
from conformance.doctor.records import Answer


@dataclass(frozen=True, kw_only=True, slots=True)
class Gate:
    """One question to an installation; `run` raises ForbiddenError where a right is missing, else ApiError."""

    #: As reports name it.
    name: str
    question: str
    run: Callable[[Installation], Answer]
