"""`conformance publish`: add a run to the published support matrix, or check that matrix and the claims it proves."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from pathlib import Path

import click

from conformance import claims, matrix, publish
from conformance.artifacts import LATEST, RUNS, RunFolder
from conformance.errors import ExitCode

_HELP = """Add a run to the published support matrix, and write the matrix over everything published again.

RUN is a run's folder, its id, or `latest` (the default). Published is what was conclusive on a genuine cluster: nothing
inconclusive, nothing that did not run, nothing of a stand-in. Publishing a run twice changes nothing; the order in
which runs are published does not matter.

\b
Examples:
  conformance publish
  conformance publish merged/
  conformance publish --check

--check publishes nothing. It fails when a published file was edited, when a claim has no published evidence, or when a
published cell contradicts a claim; it also says what is stale.

\b
Exit codes:
  0  published, or with --check: all holds
  1  with --check: something does not hold
  3  there is no such run, or it does not say what it tested
  4  the run has nothing that may be published
"""


def _publish(run: str, run_dir: Path, into: Path, as_of: datetime | None, *, check: bool) -> None:
    day = as_of.date() if as_of is not None else None
    if check:
        _check(into, day or datetime.now(UTC).date())
        return
    gathered = publish.gather(RunFolder.open(run, run_dir))
    if gathered.left_out:
        left = ", ".join(f"{count} {why}" for why, count in gathered.left_out.items())
        click.echo(f"left out: {left}")
    if not gathered.shelves:
        click.echo("nothing of this run may be published: no cell was conclusive on a genuine cluster")
        sys.exit(int(ExitCode.NOTHING_RAN))
    changed = publish.publish(into, gathered.shelves, as_of=day)
    for shelf in gathered.shelves:
        click.echo(f"{len(shelf.published.cells)} cells: {into / shelf.published.folder}")
    click.echo(f"{len(changed)} files changed" if changed else "nothing changed")


def _check(root: Path, day: date) -> None:
    everything = publish.read_all(root)
    for each in everything:
        if publish.is_stale(each, day):
            click.echo(f"stale: {root / each.folder}: its newest run is {publish.age(each, day)} days old")
    found = [
        *publish.differences(root),
        *publish.faults(claims.load(matrix.MATRICES), everything, matrix.load_builders(matrix.MATRICES / "builders")),
    ]
    for fault in found:
        click.echo(fault)
    click.echo(f"{sum(len(each.cells) for each in everything)} published cells: {len(found) or 'no'} faults")
    sys.exit(int(ExitCode.CLAIMS_BROKEN if found else ExitCode.AS_CLAIMED))


publish_command = click.Command(
    "publish",
    callback=_publish,
    help=_HELP,
    short_help="Add a run to the published support matrix, or check it.",
    params=[
        click.Argument(["run"], default=LATEST, metavar="[RUN]"),
        click.Option(
            ["--run-dir"],
            type=click.Path(path_type=Path),
            default=RUNS,
            show_default=True,
            metavar="DIR",
            help="Where runs are kept.",
        ),
        click.Option(
            ["--into"],
            type=click.Path(path_type=Path),
            default=publish.REPORTS,
            metavar="DIR",
            help="Where everything published is kept.  [default: reports/]",
        ),
        click.Option(
            ["--as-of"],
            type=click.DateTime(["%Y-%m-%d"]),
            metavar="DATE",
            help="Count ages to this day.  [default: the newest published run's; with --check: today]",
        ),
        click.Option(["--check"], is_flag=True, help="Check what is published and the claims; change nothing."),
    ],
)
