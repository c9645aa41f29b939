"""GitHub Actions' own words: groups that fold, annotations that stand at the claim.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from conformance.claims import selects
from conformance.model import Cell, Claim, Result
from conformance.report import summary

#: What the runner takes for a command: `::` at the start of a line, `##[` anywhere in it.
_OLD: Final = "##["


def are_running(environment: Mapping[str, str] = os.environ) -> bool:
    """Say whether this is a job of GitHub Actions."""
    return environment.get("GITHUB_ACTIONS") == "true"


def inert(text: str) -> str:
    """Return a text no line of which the runner takes for a command."""
    lines = (f"| {line}" if line.lstrip().startswith("::") else line for line in text.split("\n"))
    return "\n".join(lines).replace(_OLD, "## [")


def group(title: str, lines: Sequence[str]) -> str:
    """Return lines under a title that opens and closes."""
    return "\n".join([f"::group::{_data(title)}", *map(inert, lines), "::endgroup::"])


def annotate(results: Sequence[Result], cells: Mapping[str, Cell], claims: Sequence[Claim]) -> Iterator[str]:
    """Yield an error for each broken claim, at the line the claim stands in."""
    for result in results:
        if result.outcome.breaks_claim:
            said = f"{result.cell}: claimed {summary.claimed(result)}, seen {summary.seen(result)}"
            yield _error(said, result, _claim(result, cells, claims, expect=result.claim))
        for probe in result.probes:
            if probe.outcome.breaks_claim:
                said = f"{result.cell}, probe {probe.probe}: claimed {probe.claim}, found {summary.probe_seen(probe)}"
                yield _error(said, result, _claim(result, cells, claims, expect=probe.claim, probe=probe.probe))


def _claim(
    result: Result, cells: Mapping[str, Cell], claims: Sequence[Claim], *, expect: str | None, probe: str = ""
) -> Claim | None:
    """Return the claim that a result was held against; of several that say the same, the first."""
    cell = cells.get(result.cell)
    if cell is None:
        return None
    found = (claim for claim in claims if claim.expect == expect and selects(claim, cell, probe=probe))
    return next(found, None)


def _error(said: str, result: Result, claim: Claim | None) -> str:
    evidence = summary.evidence(result)[:1]
    message = "\n".join([said, *evidence])
    properties = {"title": f"{result.outcome}: {result.builder} at {result.level}"}
    if claim is not None:
        path, _, line = claim.origin.rpartition(":")
        properties = {"file": _in_workspace(path), "line": line} | properties
    return f"::error {','.join(f'{name}={_property(value)}' for name, value in properties.items())}::{_data(message)}"


def _in_workspace(path: str) -> str:
    """Return a path as the checkout has it: annotations of other files are shown nowhere."""
    try:
        return str(Path(path).resolve().relative_to(Path(os.environ.get("GITHUB_WORKSPACE") or Path.cwd()).resolve()))
    except ValueError:
        return path


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
