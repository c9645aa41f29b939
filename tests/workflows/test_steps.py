from __future__ import annotations

import json
from pathlib import Path

import pytest

from conformance.shards import Sharded
from tests.conformance.publish.published import ran
from tests.conformance.records import result
from tests.workflows.steps import Ended, find, run

NIGHT = {"MATRIX": "default", "SHARDS": "3"}
CLOUDS = {"EKS": "false", "AKS": "false"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "work"
    made.mkdir()
    return made


def _plan(folder: Path, **env: str) -> Ended:
    return run(find("nightly", "plan", "Plan"), folder, {**NIGHT, **CLOUDS, **env})


def test_the_plan_hands_every_cell_to_a_shard_and_writes_the_same_plan_down(folder: Path) -> None:
    ended = _plan(folder)
    assert ended.code == 0, ended.output
    included = json.loads(ended.outputs["matrix"])["include"]
    written = Sharded.model_validate_json((folder / "plan.json").read_bytes())
    assert {cell for each in included for cell in each["cells"].splitlines()} == {
        cell for shard in written.shards for cell in shard.cells
    }
    assert {name for shard in written.shards for name in shard.providers} == {"embedded", "kind"}
    assert ended.outputs["clouds"] == "[]"


def test_clouds_are_planned_where_they_are_configured_and_run_by_jobs_of_their_own(folder: Path) -> None:
    ended = _plan(folder, EKS="true", AKS="true")
    assert ended.code == 0, ended.output
    assert json.loads(ended.outputs["clouds"]) == ["eks", "aks"]
    assert {each["providers"] for each in json.loads(ended.outputs["matrix"])["include"]} <= {
        "embedded",
        "kind",
        "embedded,kind",
        "kind,embedded",
    }
    written = Sharded.model_validate_json((folder / "plan.json").read_bytes())
    assert {"eks", "aks"} <= {cell.provider for cell in written.cells}


def test_a_shard_runs_the_cells_that_the_plan_gave_it(folder: Path) -> None:
    cells = json.loads(_plan(folder).outputs["matrix"])["include"][0]["cells"]
    ended = run(find("nightly", "shard", "Run"), folder, {**NIGHT, "CELLS": cells})
    assert ended.code == 0, ended.output
    assert all(cell in ended.output.replace("\n", "") for cell in cells.splitlines()[:1])
    assert any("--cells cells.txt" in call and "--run-dir shard" in call for call in ended.calls)


@pytest.mark.parametrize(("code", "step"), [(0, 0), (1, 0), (2, 1), (3, 1)])
def test_a_shard_fails_when_the_harness_does_and_not_when_a_claim_breaks(code: int, step: int, folder: Path) -> None:
    ended = run(find("nightly", "shard", "Run"), folder, {**NIGHT, "CELLS": "x"}, {"sudo": f"exit {code}"})
    assert ended.code == step


def test_the_name_of_a_shards_artefact_has_no_slash(folder: Path) -> None:
    (folder / "shard").mkdir()
    ended = run(find("nightly", "shard", "Hand the run over"), folder, {"SHARD": "2/3"})
    assert (ended.code, ended.outputs["name"]) == (0, "run-2-of-3")


def _planned(folder: Path) -> Sharded:
    """Make the artefact of the job `plan`."""
    assert _plan(folder).code == 0
    artifact = folder / "artifacts" / "plan"
    artifact.mkdir(parents=True)
    written = (folder / "plan.json").rename(artifact / "plan.json")
    return Sharded.model_validate_json(written.read_bytes())


def test_the_merge_joins_what_came_and_shows_the_rest_as_not_run(folder: Path) -> None:
    cells = {cell.id: cell for cell in _planned(folder).cells}
    came = cells["embedded-1.35-baseline-rootless-unset"]
    ran(folder / "artifacts" / "run-1-of-3", "2026-11-21", (came, result(came)))
    ended = run(find("nightly", "merge", "Merge"), folder, NIGHT)
    assert ended.code == 0, ended.output
    # Something planned did not run, and nothing that ran is against its claim.
    assert ended.outputs["code"] == "2"
    assert "not-run" in ended.summary
    assert "rootless-unset" in ended.summary
    assert (folder / "pages" / "index.html").read_bytes() == (folder / "merged" / "report.html").read_bytes()


def test_a_night_of_which_nothing_came_fails(folder: Path) -> None:
    _planned(folder)
    ended = run(find("nightly", "merge", "Merge"), folder, NIGHT)
    assert ended.code != 0
    assert "Missing argument" in ended.output


def test_the_judge_ends_as_the_merge_did(folder: Path) -> None:
    assert run(find("nightly", "merge", "Judge"), folder, {"CODE": "1"}).code == 1


def _issue(folder: Path, number: str) -> Ended:
    (folder / "report").mkdir()
    (folder / "report" / "matrix.md").write_text("| a table |\n", encoding="utf-8")
    step = find("nightly", "issue", "Open the issue, or bring it up to date")
    fake = f'if [ "$1 $2" = "issue list" ]; then echo "{number}"; fi'
    return run(step, folder, {"RUN": "https://example.com/run/1"}, {"gh": fake})


def test_the_first_broken_night_opens_an_issue_with_the_matrix(folder: Path) -> None:
    ended = _issue(folder, "")
    assert ended.code == 0, ended.output
    assert [" ".join(call.split()[1:3]) for call in ended.calls] == ["issue list", "label create", "issue create"]
    body = (folder / "body.md").read_text(encoding="utf-8")
    assert "| a table |" in body
    assert "https://example.com/run/1" in body


def test_the_next_broken_night_updates_that_issue(folder: Path) -> None:
    ended = _issue(folder, "7")
    assert [" ".join(call.split()[1:4]) for call in ended.calls][1:] == ["issue edit 7", "issue comment 7"]


def test_the_smoke_matrix_is_a_plan_that_holds(folder: Path) -> None:
    ended = run(find("pull-request", "smoke", "Run"), folder, {})
    assert ended.code == 0, ended.output
    assert "rootless-unset" in ended.output


@pytest.mark.parametrize("job", ["cloud", "sweep"])
def test_a_cloud_is_swept_with_everything_whose_time_is_over(job: str, folder: Path) -> None:
    step = find("nightly", job, "Sweep" if job == "sweep" else "Remove what is left")
    ended = run(step, folder, {"CLOUD": "eks"})
    assert ended.code == 0, ended.output
    assert "conformance janitor --provider eks --all" in ended.calls[-1]
