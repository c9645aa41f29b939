"""The visible step before anything is created: what the plan's providers need is installed, built, fetched."""

from __future__ import annotations

import time

from rich.console import Console
from rich.text import Text

from conformance import throwaway
from conformance.plan import Plan


def prepare(plan: Plan, console: Console) -> None:
    """Let each provider prepare for its clusters, showing what it does. Raises ClustersError."""
    started = time.monotonic()

    def say(text: str) -> None:
        console.print(Text(f"{time.monotonic() - started:6.1f}s  {text}"))

    for name, line in plan.clusters:
        say(f"preparing for {name}, Kubernetes {line}")
        throwaway.prepare(name, line, say)
