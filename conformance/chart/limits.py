"""How long helm may take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True, slots=True)
class HelmLimits:
    """Seconds after which helm is taken to hang. It never waits for pods, so all of it is API calls or less."""

    #: To say its version.
    version: float = 20
    #: To render a chart; no network.
    template: float = 60
    #: To create or change a release's objects, hooks included.
    install: float = 120
    #: To delete a release's objects, without waiting for them to be gone.
    uninstall: float = 60
    #: To download a chart from a registry.
    pull: float = 120


LIMITS: Final = HelmLimits()
