"""The daemon's container: flags, environment, security context."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Final

from conformance.model import Builder

#: Flags whose values are the chart's to say.
_CHARTS: Final = ("--addr", "--config")


def say_builder(daemon: dict[str, Any], builder: Builder) -> None:
    """Give the container what a builder says, and take away what only the chart says of it."""
    daemon["args"] = [*charts_flags(daemon.get("args") or ()), "--root", builder.state_directory, *builder.args]
    daemon.pop("securityContext", None)
    if builder.security_context:
        daemon["securityContext"] = copy.deepcopy(builder.security_context)
    if builder.environment:
        others = [each for each in daemon.get("env") or () if each.get("name") not in builder.environment]
        daemon["env"] = [*others, *({"name": name, "value": value} for name, value in builder.environment.items())]


def charts_flags(args: Sequence[str]) -> list[str]:
    """Return address and configuration as the chart says them, whether in one word or two."""
    kept: list[str] = []
    words = iter(map(str, args))
    for word in words:
        name, equals, _ = word.partition("=")
        # A flag of another name and its value, in two words, are both left out: neither begins as these do.
        if name in _CHARTS:
            kept += [word] if equals else [word, next(words, "")]
    return kept
