"""`conformance diff`: what changed between two runs, and what changed with it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import click

from conformance import diff
from conformance.artifacts import RUNS, RunFolder
from conformance.diff import Change, Difference
from conformance.errors import ExitCode
from conformance.model import Result
from conformance.report import summary

_HELP = """Say which verdicts changed from run BEFORE to run AFTER, and which axis changed with them: chart, builder
settings or image, Kubernetes, policy, node image, kernel, node conditions, claims, rules, harness.

BEFORE and AFTER are runs' folders or ids; `latest` is the newest.

\b
Examples:
  conformance diff 20261121-0412-ab3f latest
  conformance diff reports/1.34 reports/1.35

\b
Exit codes:
  0  every cell that both runs have got the same verdict
  1  some verdicts differ
  3  there is no such run, or its artefacts are damaged
"""


def _diff(before: str, after: str, run_dir: Path) -> None:
    found = diff.diff(RunFolder.open(before, run_dir), RunFolder.open(after, run_dir))
    for change in found.changes:
        _show_change(change)
    _show_axes(found)
    _show_only("only in BEFORE", found.gone)
    _show_only("only in AFTER", found.appeared)
    click.echo(f"{found.compared} cells compared: {len(found.changes)} changed")
    sys.exit(int(ExitCode.CLAIMS_BROKEN if found.changes else ExitCode.AS_CLAIMED))


def _show_change(change: Change) -> None:
    click.echo(f"changed  {change.after.cell}")
    click.echo(f"    before  {_verdict(change.before)}")
    click.echo(f"    after   {_verdict(change.after)}")
    axes = ", ".join(dict.fromkeys(shift.axis.value for shift in change.shifts))
    click.echo(f"    with it changed: {axes or 'nothing that was recorded; it may be flaky'}")
    for line in summary.evidence(change.after):
        click.echo(f"    evidence: {line}")


def _show_axes(found: Difference) -> None:
    for shift, cells in found.shifts.items():
        click.echo(f"{shift.axis} ({cells} cells): {shift.before} -> {shift.after}")
    if not found.shifts:
        click.echo("no axis changed")


def _show_only(title: str, cells: Iterable[str]) -> None:
    for cell in cells:
        click.echo(f"{title}: {cell}")


def _verdict(result: Result) -> str:
    return f"{summary.seen(result)}, {result.outcome}"


diff_command = click.Command(
    "diff",
    callback=_diff,
    help=_HELP,
    short_help="Say what changed between two runs, and what changed with it.",
    params=[
        click.Argument(["before"]),
        click.Argument(["after"]),
        click.Option(
            ["--run-dir"],
            type=click.Path(path_type=Path),
            default=RUNS,
            show_default=True,
            help="Where runs are kept.",
        ),
    ],
)
