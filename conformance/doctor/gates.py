"""The gates, in the order in which a failure of one makes the next meaningless."""

from __future__ import annotations

from typing import Final

from conformance.doctor import endpoints, mtls, platforms, reachable, rendered, scheduling
from conformance.doctor.gate import Gate

GATES: Final[tuple[Gate, ...]] = (
    rendered.GATE,
    endpoints.GATE,
    reachable.GATE,
    mtls.GATE,
    platforms.GATE,
    scheduling.GATE,
)
