"""Every limit of this provider, in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How long each thing may take."""

    #: The API server's address accepts a connection.
    connect: float = 5
    #: One request.
    request: float = 30
    #: From the deletion of a run's namespaces until none of them is left.
    removal: float = 300
    #: Between two looks whether they are.
    look: float = 1


LIMITS: Final = Limits()
