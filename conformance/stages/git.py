"""The daemon fetches a git context and builds it."""

from __future__ import annotations

from conformance.model import Stage
from conformance.stages.build import build
from conformance.stages.context import CellRun, Step
from conformance.tools import Build


def run(cell_run: CellRun) -> str:
    """Build from the git context, keeping nothing."""
    build(cell_run, Stage.GIT, Build(git=cell_run.git_context))
    return cell_run.git_context


STEP = Step(stage=Stage.GIT, summary="a git context is fetched and built", run=run)
