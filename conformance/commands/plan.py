"""`conformance plan`: cut a matrix into shards, for jobs that run side by side."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import click

from conformance import preflight
from conformance.artifacts import RUNS, RunFolder
from conformance.commands.run import parameter
from conformance.options import OPTIONS, Request
from conformance.shards import Shard, Sharded, costs, shards

_HELP = """Cut the cells that `conformance run` would run into shards, so that the slowest of them is short.

Cells of one cluster stay together where that shortens the slowest shard: every cluster that a job needs has to be
created. Times come from matrices/durations.toml, or from runs that --durations names.

\b
Examples:
  conformance plan --shards 3
  conformance plan --shards 3 --matrix sidecars --format json > plan.json
  echo "matrix=$(conformance plan --shards 3 --format github)" >> "$GITHUB_OUTPUT"

A shard is run by `conformance run --shard 2/3` with the same options, or by `conformance run --cells FILE` with the ids
of its cells in a file; with --durations only the latter runs the same cells. `conformance merge` joins the runs.
"""

#: Options of a run that choose cells.
_CHOOSING: Final = ("--cluster", "--kubernetes", "--node", "--psa", "--builder", "--matrix", "--cells", "--chart")


class Format(StrEnum):
    """How the shards are printed."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


def _plan(**values: Any) -> None:  # noqa: ANN401 - click hands over what the table lists
    number, form = values.pop("shards"), Format(values.pop("form"))
    folders = [RunFolder.open(run, values["run_dir"]) for run in values.pop("durations")]
    checked = preflight.check(Request.of(values))
    recorded = [(folder.read_run(), folder.read_results()) for folder in folders]
    prices = costs(checked.plan, checked.claims, recorded=recorded)
    made = shards(checked.plan, number, prices)
    match form:
        case Format.TEXT:
            click.echo(_text(made))
        case Format.JSON:
            cells = Sharded(matrix=checked.plan.matrix, shards=made, cells=tuple(checked.plan))
            click.echo(cells.model_dump_json(indent=2, by_alias=True))
        case Format.GITHUB:
            click.echo(github(made))


def github(made: Sequence[Shard]) -> str:
    """Return the shards as one line: the value of `strategy.matrix` of a job on GitHub."""
    include = [
        {
            "shard": shard.name,
            "name": f"{shard.index} of {shard.of}: {', '.join(shard.clusters)}",
            "providers": ",".join(shard.providers),
            "seconds": shard.seconds,
            "cells": "\n".join(shard.cells),
        }
        for shard in made
    ]
    return json.dumps({"include": include})


def _text(made: Sequence[Shard]) -> str:
    lines = []
    for shard in made:
        number = f"{len(shard.cells)} cell{'' if len(shard.cells) == 1 else 's'}"
        lines.append(f"shard {shard.name}: {number} on {', '.join(shard.clusters)}, about {shard.seconds:.0f} s")
        lines += [f"  {cell}" for cell in shard.cells]
    total, slowest = sum(shard.seconds for shard in made), max(shard.seconds for shard in made)
    lines.append(f"the slowest takes about {slowest:.0f} s, all together {total:.0f} s")
    return "\n".join(lines)


plan_command = click.Command(
    "plan",
    callback=_plan,
    help=_HELP,
    short_help="Cut a matrix into shards that run side by side.",
    params=[
        *(parameter(option) for option in OPTIONS if option.name in _CHOOSING),
        click.Option(
            ["--shards"],
            type=click.IntRange(min=1, max=1000),
            default=1,
            show_default=True,
            metavar="N",
            help="How many.",
        ),
        click.Option(
            ["--format", "form"],
            type=click.Choice([form.value for form in Format]),
            default=Format.TEXT.value,
            show_default=True,
            help="For a person, for programs, or one line for a job's matrix on GitHub.",
        ),
        click.Option(
            ["--durations"],
            multiple=True,
            metavar="RUN",
            help="Take what this run measured, not matrices/durations.toml. Repeat for several; the newest counts.",
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
