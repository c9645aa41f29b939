"""The report for reviewers: one HTML file that loads nothing, made from the run's folder alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FunctionLoader, StrictUndefined

from conformance.artifacts import RunFolder
from conformance.model import Result, Role, Run
from conformance.report import summary
from conformance.report.html import marks, nodes, overview, since, trust
from conformance.report.html.details import Details
from conformance.report.html.inert import digest, payload, visible

__all__ = ["render"]

#: Cells whose details stand in one block: a page of 10,000 cells reads only the block of the cell that is opened.
_BLOCK: Final = 200
#: Cells that need a look and are listed by name; the filters show the others.
_LISTED: Final = 10
#: One script to the browser.
_SCRIPTS: Final = ("across.js", "page.js")
#: Up to so many of them are shown at once; more are folded under their outcomes.
_UNFOLDED: Final = 6


def render(folder: RunFolder, results: Sequence[Result], run: Run, published: Path = since.PUBLISHED) -> str:
    """Return the page; the same folder, and the same publications before it, give the same bytes.

    Raises UsageError when a file of the run, or of what is published, is damaged.
    """
    style, script = _asset("page.css"), "\n".join(map(_asset, _SCRIPTS))
    details = Details(folder, run)
    cells = {result.cell: details.cell(result) for result in results}
    numbers = {result.cell: number for number, result in enumerate(results)}
    grids = summary.grids(results)
    records = list(cells.values())
    blocks = [payload(records[start : start + _BLOCK]) for start in range(0, len(records), _BLOCK)]
    page = _templates().get_template("page.html")
    return page.render(
        policy=f"default-src 'none'; script-src '{digest(script)}'; style-src '{digest(style)}'; "
        "base-uri 'none'; form-action 'none'",
        style=style,
        script=script,
        run=run,
        probes=summary.probe_totals(results),
        banner=trust.banner(results),
        since=since.compare(results, run, published),
        counted=len(summary.selected(results)),
        totals=summary.totals(results),
        look=_look(results),
        grids=grids,
        overview=overview.across(grids) if len(grids) > 1 else None,
        doubts=trust.doubts(results, run),
        controls=trust.controls(grids, run),
        reproduce=trust.reproduce(run),
        origin=trust.origin(run),
        facts=trust.facts(run),
        kinds=nodes.kinds(run),
        failures={cluster.cluster: cluster.failure for cluster in run.clusters if cluster.failure},
        choices=_choices(results),
        numbers=numbers,
        mark=marks.mark,
        against=marks.against,
        claimed=summary.claimed,
        evidence=summary.evidence,
        outcomes=marks.OUTCOMES,
        styles=marks.STYLES,
        index=payload(_index(results)),
        shared=payload(details.shared()),
        blocks=blocks,
        block_size=_BLOCK,
    )


def _look(results: Sequence[Result]) -> list[dict[str, Any]]:
    """Return what a reviewer must not miss, worst first: an outcome, its cells, and how many more there are."""
    groups: list[dict[str, Any]] = []
    for outcome in marks.NEED_A_LOOK:
        found = summary.with_outcome(results, outcome)
        if found:
            groups.append({"outcome": outcome, "cells": found[:_LISTED], "count": len(found)})
    unfold = sum(group["count"] for group in groups) <= _UNFOLDED
    return [group | {"more": max(0, group["count"] - _LISTED), "open": unfold} for group in groups]


def _choices(results: Sequence[Result]) -> Mapping[str, Sequence[str]]:
    """Return what the filters offer, in the order the tables have."""
    grids = summary.grids(results)
    levels = dict.fromkeys(level for grid in grids for level in grid.levels)
    return {
        "cluster": [grid.cluster for grid in grids],
        "level": sorted(levels, key=summary.level_order),
        "builder": sorted({builder for grid in grids for builder in grid.builders}),
        "class": sorted({result.class_ for result in results if result.class_}),
        "outcome": [str(outcome) for outcome in summary.totals(results)],
    }


def _index(results: Sequence[Result]) -> list[list[str | int]]:
    """Return what the filters compare, a row a cell, by the cell's number."""
    return [
        [
            result.cell,
            result.cluster,
            result.level,
            result.builder,
            result.class_ or "",
            result.outcome,
            int(result.role is Role.SELECTED),
        ]
        for result in results
    ]


@cache
def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


@cache
def _templates() -> Environment:
    return Environment(
        autoescape=True,
        loader=FunctionLoader(_asset),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=lambda value: visible(value) if type(value) is str else value,
    )
