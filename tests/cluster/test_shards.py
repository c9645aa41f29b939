"""A plan cut into shards, each run by a process with a cluster of its own, one of them killed, and all joined."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from clusters import process
from conformance.artifacts import RunFolder
from conformance.merge import LOST
from conformance.model import Outcome, Role
from tests.cluster.runs import BUILDING, Running, cleared, conformance, start

pytestmark = pytest.mark.cluster

#: Those of `BUILDING` that choose cells.
CHOSEN = tuple(word for word in BUILDING if not word.startswith("-n"))
CONTROL = "embedded-1.35-privileged-rootful-privileged-control"


@pytest.fixture(scope="module", autouse=True)
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep clusters and their ledger apart from other people's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BUILD_CONFORMANCE_STATE_DIR", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[[str], Running]]:
    """Return what starts the run of one cell, in a folder named by it."""
    with ExitStack() as stack:

        def begin(cell: str) -> Running:
            folder = tmp_path / cell
            folder.mkdir()
            (folder / "cells").write_text(f"{cell}\n")
            return stack.enter_context(cleared(start(folder, *CHOSEN, f"--cells={folder / 'cells'}")))

        yield begin


def verdicts(folder: RunFolder) -> dict[str, tuple[Outcome, str | None]]:
    return {each.cell: (each.outcome, each.class_) for each in folder.read_results()}


def test_shards_of_which_one_was_killed_join_into_the_plan_with_that_ones_cells_not_run(
    run: Callable[[str], Running], tmp_path: Path
) -> None:
    shown = conformance("plan", *CHOSEN, "--format=json")
    plan = tmp_path / "plan.json"
    plan.write_text(shown.stdout)
    cells = [each["id"] for each in json.loads(shown.stdout)["cells"] if each["role"] == Role.SELECTED]
    assert len(cells) == 3
    shards = []
    for number, cell in enumerate(cells):
        running = run(cell)
        if number == 1:
            running.wait_for_line("[control]")
            process.kill_group(running.child.pid, signal.SIGKILL)
            running.end()
            running.wait_for_its_processes_to_go()
            assert conformance("janitor").returncode == 0
        else:
            assert running.end() == 0, running.said
        shards.append(running.folder)
    into = tmp_path / "merged"
    ended = conformance("merge", *(each.path for each in shards), f"--plan={plan}", f"--into={into}")
    assert ended.returncode == 2, ended.stdout + ended.stderr
    merged = RunFolder.open(into)
    assert [each.id for each in merged.read_plan()] == [CONTROL, *cells]
    built = (Outcome.AS_CLAIMED, None)
    lost = (Outcome.NOT_RUN, None)
    assert verdicts(merged) == {CONTROL: built, cells[0]: built, cells[1]: lost, cells[2]: built}
    (absent,) = (each for each in merged.read_results() if each.outcome is Outcome.NOT_RUN)
    assert absent.reason == LOST
    assert merged.read_observation(cells[0]) == shards[0].read_observation(cells[0])
    again = conformance("merge", into, *(each.path for each in reversed(shards)), f"--into={tmp_path / 'again'}")
    assert again.returncode == 2
    assert (tmp_path / "again" / "report.json").read_bytes() == (into / "report.json").read_bytes()
    published = conformance("publish", into, f"--into={tmp_path / 'reports'}")
    assert published.returncode == 0, published.stdout + published.stderr
    assert "left out: 1 not-run" in published.stdout
    assert "2 cells: " in published.stdout
