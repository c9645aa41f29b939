"""The visible step before anything is created: what the plan's providers need is installed, built, fetched."""

from __future__ import annotations

import time

from rich.console import Console
from rich.text import Text

from conformance import throwaway
from conformance.options import Request
from conformance.plan import Plan
from conformance.standing import cluster_spec, why_impossible


def prepare(plan: Plan, console: Console, request: Request | None = None) -> None:
    """Let each provider prepare for its clusters, showing what it does. Raises ClustersError."""
    started = time.monotonic()

    def say(text: str) -> None:
        console.print(Text(f"{time.monotonic() - started:6.1f}s  {text}"))

    for key in plan.clusters:
        if (why := why_impossible(key)) is not None:
            say(f"{key.name} cannot be here: {why}")
            continue
        spec = cluster_spec("preparation", key, plan.on(key), request)
        say(f"preparing for {key.name}")
        throwaway.prepare(key.provider, spec, say)
