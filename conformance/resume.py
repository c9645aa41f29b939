"""An interrupted run taken up again: its plan, its options, and the results that stand."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from conformance.artifacts import RunFolder
from conformance.classify import RULES_DIGEST
from conformance.errors import UsageError
from conformance.model import Outcome, Result, Role, Run
from conformance.options import Request
from conformance.plan import Plan

#: Outcomes that running a cell again could change for no other reason than that it runs.
_OPEN: Final = {Outcome.NOT_RUN, Outcome.INCONCLUSIVE}


def request(asked: Request) -> Request:
    """Return what the run that is taken up was asked for. Raises UsageError when that cannot be done."""
    folder = RunFolder.open(asked.resume, asked.run_dir)
    others = asked.model_copy(update={"resume": "", "run_dir": Request().run_dir, "no_install_deps": False})
    if given := others.arguments(Request()):
        raise UsageError(
            f"--resume takes a run up with its own options: remove {' '.join(given)}, or begin another run"
        )
    run = folder.read_run()
    if not run.started:
        raise UsageError(
            f"--resume: run {run.run_id} was ended before it wrote what it was asked for: begin another run"
        )
    if run.parts:
        raise UsageError(
            f"--resume: run {run.run_id} was joined of {', '.join(run.parts)}: take those up, and merge them again"
        )
    if run.rules != RULES_DIGEST:
        raise UsageError(
            f"--resume: run {run.run_id} was judged by other classification rules than these, and two kinds of verdict"
            f" must not mix: check out {run.git_commit or 'the commit that wrote it'}, or begin another run"
        )
    own = Request.parse(run.options)
    return own.model_copy(
        update={"resume": str(folder.path), "run_dir": asked.run_dir, "no_install_deps": asked.no_install_deps}
    )


def plan_of(folder: RunFolder, matrix: str) -> Plan:
    """Return the plan that a run wrote. Raises UsageError when it is damaged."""
    cells = folder.read_plan()
    return Plan(
        matrix=matrix,
        cells=tuple(cell for cell in cells if cell.role is Role.SELECTED),
        controls=tuple(cell for cell in cells if cell.role is Role.CONTROL),
    )


def standing_results(folder: RunFolder) -> tuple[Result, ...]:
    """Return the results of selected cells that need not be run again."""
    return tuple(
        result for result in folder.read_results() if result.role is Role.SELECTED and result.outcome not in _OPEN
    )


def remaining(plan: Plan, results: tuple[Result, ...]) -> Plan:
    """Return what a plan has beside these results: cells without one, and the control of each of their clusters."""
    done = {result.cell for result in results}
    cells = tuple(cell for cell in plan.cells if cell.id not in done)
    needed = {cell.key for cell in cells}
    return replace(plan, cells=cells, controls=tuple(cell for cell in plan.controls if cell.key in needed))


def continued(run: Run, now: str) -> Run:
    """Return what is known of a run that is taken up at this time."""
    return run.model_copy(update={"ended": "", "interrupted": False, "resumed": (*run.resumed, now)})
