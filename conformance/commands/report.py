"""`conformance report`: show a run again and write its reports anew."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from conformance.artifacts import LATEST, RUNS, RunFolder
from conformance.display import result_console
from conformance.judge import exit_code
from conformance.report import allure, console, write_reports

_HELP = """Show a run's matrix and write its reports again from its results.

RUN is a run's folder, its id, or `latest` (the default). A run that was killed is shown as far as it came: cells
without a result are `not-run`. Its folder then holds report.html (for reviewers, opens in any browser without a
network), matrix.md, report.json and junit.xml. --allure also writes what Allure's own page is made of.

\b
Examples:
  conformance report
  conformance report 20261121-0412-ab3f
  conformance report --allure allure-results && allure serve allure-results

The exit code is the one of `conformance run` for these results, or 3 when there is no such run.
"""


def _report(run: str, run_dir: Path, allure_dir: Path | None) -> None:
    folder = RunFolder.open(run, run_dir)
    write_reports(folder)
    if allure_dir is not None:
        allure.write(folder, allure_dir)
    console.show(folder, result_console())
    sys.exit(int(exit_code(folder.complete_results())))


report_command = click.Command(
    "report",
    callback=_report,
    help=_HELP,
    short_help="Show a run again, also one that was killed.",
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
            ["--allure", "allure_dir"],
            type=click.Path(path_type=Path, file_okay=False),
            metavar="DIR",
            help="Write Allure results into this folder too.",
        ),
    ],
)
