"""`conformance replay`: judge a run again without a cluster."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from conformance import claims, matrix, replay
from conformance.artifacts import LATEST, RUNS, RunFolder
from conformance.classify import classify
from conformance.errors import ExitCode
from conformance.model import ProbeResult, Result
from conformance.replay import Replayed
from conformance.report import summary

#: The matrix of a run that was killed before it wrote down which it was.
_DEFAULT = "default"

_HELP = """Judge a run again from what it kept, with today's rules and claims. No cluster is needed; nothing is written.

RUN is a run's folder, its id, or `latest` (the default).

\b
Examples:
  conformance replay
  conformance replay 20261121-0412-ab3f --all

\b
Exit codes:
  0  every cell gets the verdict that the run gave it
  1  some verdicts differ: each is printed with what decides it now
  3  there is no such run, or its artefacts are damaged
"""


def _replay(run: str, run_dir: Path, matrix_name: str | None, *, every: bool) -> None:
    folder = RunFolder.open(run, run_dir)
    table = matrix.load(matrix_name or folder.read_run().matrix or _DEFAULT)
    cells = replay.replay(folder, classify, claims.load(table.folder))
    changed = [cell for cell in cells if cell.changed]
    for cell in cells:
        if cell.changed:
            _show_change(cell)
        elif every:
            click.echo(f"same     {cell.after.cell}: {_verdict(cell.after)}")
    click.echo(
        f"{len(cells)} cells of {folder.run_id} judged again: {len(changed)} changed, {len(cells) - len(changed)} same"
    )
    sys.exit(int(ExitCode.CLAIMS_BROKEN if changed else ExitCode.AS_CLAIMED))


def _show_change(cell: Replayed) -> None:
    click.echo(f"changed  {cell.after.cell}")
    click.echo(f"    was  {_verdict(cell.before)}")
    click.echo(f"    now  {_verdict(cell.after)}")
    for line in summary.evidence(cell.after):
        click.echo(f"    evidence: {line}")
    was = {probe.probe: probe for probe in cell.before.probes}
    for probe in cell.after.probes:
        before, after = _probe_verdict(was.get(probe.probe)), _probe_verdict(probe)
        if before != after:
            click.echo(f"    probe {probe.probe}: was  {before}")
            click.echo(f"    probe {probe.probe}: now  {after}")


def _probe_verdict(probe: ProbeResult | None) -> str:
    if probe is None:
        return "not looked at"
    return f"{summary.probe_seen(probe)}, {probe.outcome} (claimed: {probe.claim or 'nothing'})"


def _verdict(result: Result) -> str:
    reason = f" - {result.reason}" if result.reason else ""
    return f"{summary.seen(result)}, {result.outcome} (claimed: {summary.claimed(result)}){reason}"


replay_command = click.Command(
    "replay",
    callback=_replay,
    help=_HELP,
    short_help="Judge a run again with today's rules, without a cluster.",
    params=[
        click.Argument(["run"], default=LATEST),
        click.Option(
            ["--run-dir"],
            type=click.Path(path_type=Path),
            default=RUNS,
            show_default=True,
            help="Where runs are kept.",
        ),
        click.Option(
            ["--matrix", "matrix_name"],
            metavar="NAME|FILE",
            help="The matrix whose claims are held.  [default: the run's own]",
        ),
        click.Option(["--all", "every"], is_flag=True, help="List the cells whose verdict is the same, too."),
    ],
)
