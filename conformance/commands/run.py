"""`conformance run`: check, prepare, then pytest with our plugin."""

from __future__ import annotations

import os
import sys
from typing import Any

import click
import pytest
from rich.console import Console

from clusters.paths import CHECKOUT
from conformance import consent, money, preflight
from conformance.display import result_console
from conformance.options import OPTIONS, WORKERS, Option, Request, Takes
from conformance.preparation import prepare
from conformance.report import console

_SUITE = CHECKOUT / "conformance" / "suites" / "test_cells.py"
_CONFIG = CHECKOUT / "conformance" / "suites" / "pytest.ini"

_HELP = """Run conformance cells on real clusters and judge them against the committed claims.

Without options the default matrix runs: seven BuildKit sidecars at every Pod Security level on an embedded cluster.

\b
Examples:
  conformance run --plan
  conformance run --psa baseline --builder 'rootless-*'
  conformance run --kubernetes 1.34 --psa baseline@v1.34
  conformance run --builder rootless-unset --psa baseline --keep

\b
Exit codes:
  0    reality is as claimed
  1    a claim is broken: the cell, the claim, what was seen and the line that proves it are printed
  2    infrastructure failed, or cells stayed inconclusive
  3    an option, a matrix, a claim or a chart is wrong
  4    nothing ran
  130  interrupted; what was created has been removed
"""


def _run(**values: Any) -> None:  # noqa: ANN401 - click hands over what the table lists
    plan_only, workers = values.pop("plan"), values.pop("workers")
    request = Request.of(values)
    checked = preflight.check(request)
    if plan_only:
        notes = (*consent.notes(checked.plan, checked.request), *money.notes(checked.plan.clusters, checked.request))
        console.show_plan(checked.plan, result_console(), claims=checked.claims, workers=max(workers, 1), notes=notes)
        return
    if request.no_install_deps:
        os.environ["BUILD_CONFORMANCE_INSTALL_DEPS"] = "0"
    prepare(checked.plan, Console(stderr=True, highlight=False, soft_wrap=True), checked.request)
    workers = min(workers, len(checked.plan.cells))
    arguments = [
        f"--config-file={_CONFIG}",
        f"--rootdir={CHECKOUT}",
        "-pno:terminal",
        # Progress is shown while cells run, in this process too when it runs them itself.
        "--capture=no",
        f"-n{workers if workers > 1 else 0}",
        # In the plan's order, few at a time: cells are ordered by cluster, and not every cluster is up at once.
        "--dist=load",
        "--maxschedchunk=1",
        *request.arguments(),
        str(_SUITE),
    ]
    sys.exit(int(pytest.main(arguments)))


def parameter(option: Option) -> click.Option:
    """Return an option of the table as click has it."""
    match option.takes:
        case Takes.FLAG:
            return click.Option([option.name], is_flag=True, help=option.help)
        case Takes.ONE:
            return click.Option([option.name], metavar=option.metavar, help=option.help)
        case Takes.MANY:
            return click.Option([option.name], multiple=True, metavar=option.metavar, help=option.help)


run_command = click.Command(
    "run",
    callback=_run,
    help=_HELP,
    short_help="Run cells on real clusters and judge them against the claims.",
    params=[
        *(parameter(option) for option in OPTIONS),
        click.Option(
            ["--plan"], is_flag=True, help="List the cells and the time they are likely to take; run nothing."
        ),
        click.Option(
            ["-n", "--workers"],
            type=click.IntRange(min=0),
            default=WORKERS,
            show_default=True,
            metavar="N",
            help="How many cells run at once.",
        ),
    ],
)
