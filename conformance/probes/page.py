"""The reference page of the probes: `python -m conformance.probes.page` writes it from the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Final

from clusters.paths import CHECKOUT
from conformance.model import HOLDS
from conformance.probes import PROBES, Probe
from conformance.waiting import Timeouts

PAGE: Final = CHECKOUT / "docs" / "reference" / "probes.md"

_HEAD = f"""\
# Probes

A probe looks at a cell whose stages have passed, and finds that its sentence `{HOLDS}`, or something with a name.
`--probe GLOB` (repeatable) or `probes = [...]` in a block of a matrix chooses them.
`conformance run --matrix probes` runs all of them on four builders.
What a probe sees are facts, read from the registry, the kubelet and the kernel.
They are manifests, layers, owners, start times of processes and restart counts.
A green build or a text alone never decides.
Facts are stored with the cell, so that `conformance replay` judges them again.

A probe never changes the verdict of its cell: that is about building.
A claim with `probe = "NAME"` expects `{HOLDS}` or a finding's name; when it is broken, the run ends 1.
A probe that cannot look (another tool, a missing capability, a cell whose stages failed) is `not-run`, and says why.
Where such a probe is claimed, that is a hole in the run, which ends 2.
A probe that something else broke is `inconclusive`.

Probes run in the order of this page, each with a time limit of its own; disruptive ones come last.

| probe | holds when | disruptive | at most |
|---|---|---|---|
"""


def markdown() -> str:
    """Return the page."""
    limits = Timeouts().probes
    seconds = {field.name: getattr(limits, field.name) for field in fields(limits)}
    rows = [
        f"| [`{probe.name}`](#{probe.name}) | {probe.summary} | {'yes' if probe.disruptive else 'no'}"
        f" | {seconds[probe.name.replace('-', '_')]:g} s |"
        for probe in PROBES.values()
    ]
    return _HEAD + "\n".join([*rows, *(line for probe in PROBES.values() for line in _section(probe)), ""])


def write(page: Path = PAGE) -> None:
    """Write the page."""
    page.write_text(markdown(), encoding="utf-8")


def _section(probe: Probe) -> Iterator[str]:
    yield ""
    yield f"## {probe.name}"
    yield ""
    yield f"It holds when {probe.summary}."
    yield ""
    yield "| finding | meaning |"
    yield "|---|---|"
    for name, meaning in probe.findings.items():
        yield f"| `{name}` | {meaning} |"


if __name__ == "__main__":
    write()
