"""How long an embedded cluster takes from nothing to usable, caches warm."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

from clusters import providers
from clusters.provider import ClusterSpec

_RUNS = 5


def measure() -> Iterator[str]:
    """Create and delete a cluster several times; yield a Markdown table of seconds."""
    provider = providers.find("embedded")
    created: list[float] = []
    deleted: list[float] = []
    for number in range(_RUNS):
        spec = ClusterSpec(name=f"bench-{number}", run_id="bench", kubernetes="1.35")
        started = time.monotonic()
        try:
            provider.create(spec, lambda _: None)
            created.append(time.monotonic() - started)
        finally:
            started = time.monotonic()
            provider.delete(spec.name)
            deleted.append(time.monotonic() - started)
    yield "| step | min s | median s | max s | runs |"
    yield "|---|---|---|---|---|"
    for name, seconds in (("start to node Ready, images imported", created), ("delete", deleted)):
        low, middle, high = min(seconds), statistics.median(seconds), max(seconds)
        yield f"| {name} | {low:.1f} | {middle:.1f} | {high:.1f} | {len(seconds)} |"
