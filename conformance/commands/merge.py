"""`conformance merge`: join the runs of shards into one, show it, and judge it."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from pydantic import ValidationError

from conformance import merge
from conformance.artifacts import RUNS, RunFolder
from conformance.display import result_console
from conformance.errors import UsageError
from conformance.judge import exit_code
from conformance.report import console, write_reports
from conformance.shards import Sharded

_HELP = """Join the runs of shards into one run's folder, write its reports, show it, and judge it.

RUN is a run's folder, its id, or `latest`. What a killed run did not come to is `not-run`; with --plan so is what is in
no run at all. Of two results of one cell the one that ran counts, then the worse one. The order of the runs does not
matter, nor whether some were joined before.

\b
Examples:
  conformance merge shard-1 shard-2 shard-3 --into merged
  conformance merge artifacts/* --plan plan.json --into merged

The exit code is the one of `conformance run` for these results, or 3 when the runs are no parts of one.
"""


def _merge(runs: tuple[str, ...], into: Path, plan: Path | None, run_dir: Path) -> None:
    parts = [merge.read(RunFolder.open(run, run_dir)) for run in runs]
    if plan is not None:
        parts.append(merge.planned(_read_plan(plan).cells))
    folder = merge.write(merge.merge(parts), into)
    write_reports(folder)
    console.show(folder, result_console())
    sys.exit(int(exit_code(folder.read_results())))


def _read_plan(path: Path) -> Sharded:
    try:
        return Sharded.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise UsageError(
            f"--plan: {path} cannot be read: write it with `conformance plan --format json`. {error}"
        ) from error


merge_command = click.Command(
    "merge",
    callback=_merge,
    help=_HELP,
    short_help="Join the runs of shards into one.",
    params=[
        click.Argument(["runs"], metavar="RUN...", nargs=-1, required=True),
        click.Option(
            ["--into"], type=click.Path(path_type=Path), required=True, metavar="DIR", help="The joined run's folder."
        ),
        click.Option(
            ["--plan"],
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="What was planned, from `conformance plan --format json`: shows shards that left no run at all.",
        ),
        click.Option(
            ["--run-dir"],
            type=click.Path(path_type=Path),
            default=RUNS,
            show_default=True,
            metavar="DIR",
            help="Where runs are kept.",
        ),
    ],
)
