"""A run that was interrupted is taken up: what stands is kept, the rest runs, and nothing is mixed up."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance import preflight
from conformance.artifacts import RunFolder
from conformance.controller import Controller
from conformance.errors import ExitCode, UsageError
from conformance.judge import not_run
from conformance.model import Outcome, Result
from conformance.options import Request
from tests.conformance.test_lifecycle import FakeProvider, control, provider

__all__ = ["control", "provider"]

BUILDERS = ("rootless-unset", "rootless-restricted", "rootful-userns")
#: How the cells of the first life end.
FIRST = {"rootless-unset": Outcome.AS_CLAIMED, "rootless-restricted": Outcome.INCONCLUSIVE}


def ended(controller: Controller, outcomes: dict[str, Outcome]) -> dict[str, Result]:
    """Run a controller's life, its cells ending like this; return every result of its folder by builder."""
    handed = controller.begin()
    for cell in handed.cells:
        assert handed.of(cell).cluster is not None
        if cell.builder.name in outcomes:
            controller.record(not_run(cell, "").model_copy(update={"outcome": outcomes[cell.builder.name]}))
    controller.finish()
    controller.end()
    folder = RunFolder.open(handed.shared.folder)
    return {result.builder: result for result in folder.complete_results() if result.role == "selected"}


@pytest.fixture
def runs(tmp_path: Path, provider: FakeProvider, control: Callable[[str | None], None]) -> Path:
    """Return the folder with a run of which one cell is as claimed, one inconclusive, one never ran."""
    assert provider.calls == []
    control(None)
    base = tmp_path / "runs"
    first = Controller(preflight.check(Request(psa=("baseline",), builder=BUILDERS, run_dir=base)))
    first.interrupted = True
    ended(first, FIRST)
    return base


def test_only_cells_without_a_verdict_run_again(runs: Path) -> None:
    again = Controller(preflight.check(Request(resume="latest", run_dir=runs)))
    assert {cell.builder.name for cell in again.checked.plan.cells} == {"rootless-restricted", "rootful-userns"}
    results = ended(again, dict.fromkeys(BUILDERS, Outcome.AS_CLAIMED))
    assert {result.outcome for result in results.values()} == {Outcome.AS_CLAIMED}
    assert again.exit_code == ExitCode.AS_CLAIMED
    run = RunFolder.open("latest", runs).read_run()
    assert len(run.resumed) == 1
    assert [cluster.cluster for cluster in run.clusters] == ["embedded-1.35"]


def test_a_complete_run_is_not_taken_up(runs: Path) -> None:
    ended(
        Controller(preflight.check(Request(resume="latest", run_dir=runs))),
        dict.fromkeys(BUILDERS, Outcome.AS_CLAIMED),
    )
    with pytest.raises(UsageError, match="is complete"):
        preflight.check(Request(resume="latest", run_dir=runs))


def test_a_run_is_taken_up_with_its_own_options_alone(runs: Path) -> None:
    with pytest.raises(UsageError, match="remove --psa=restricted"):
        preflight.check(Request(resume="latest", run_dir=runs, psa=("restricted",)))


def test_verdicts_of_other_rules_are_not_mixed(runs: Path) -> None:
    path = RunFolder.open("latest", runs).path / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "rules": "other"}))
    with pytest.raises(UsageError, match="judged by other classification rules"):
        preflight.check(Request(resume="latest", run_dir=runs))


def test_a_run_that_goes_on_is_not_taken_up(runs: Path) -> None:
    with RunFolder.open("latest", runs).held():
        controller = Controller(preflight.check(Request(resume="latest", run_dir=runs)))
        with pytest.raises(UsageError, match="is going on"):
            controller.begin()


def test_what_a_killed_run_left_is_deleted_before_its_cluster_is_created_again(
    runs: Path,
    provider: FakeProvider,
) -> None:
    provider.calls.clear()
    ended(Controller(preflight.check(Request(resume="latest", run_dir=runs))), {})
    assert provider.calls == ["delete", "create 1.35", "delete"]
