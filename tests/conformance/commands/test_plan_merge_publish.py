"""`conformance plan`, `merge` and `publish`, as a person or a job types them."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from conformance import schema
from conformance.artifacts import RunFolder
from conformance.cli import group
from conformance.errors import UsageError
from conformance.model import Cell, Outcome
from tests.conformance.publish.published import STRICT, UNSET, ran, refused
from tests.conformance.records import result


def run(*arguments: str) -> Result:
    return CliRunner().invoke(group, [str(argument) for argument in arguments])


def planned(*arguments: str) -> dict[str, object]:
    ended = run("plan", "--format", "json", *arguments)
    assert ended.exit_code == 0, ended.output
    content: dict[str, object] = json.loads(ended.output)
    return content


def test_a_plan_for_programs_is_as_its_schema_says_and_covers_the_matrix() -> None:
    content = planned("--shards", "3")
    jsonschema.validate(content, json.loads(schema.generate()["shards.schema.json"]))
    shards, cells = content["shards"], content["cells"]
    assert isinstance(shards, list)
    assert isinstance(cells, list)
    assert [shard["index"] for shard in shards] == [1, 2, 3]
    selected = {each["id"] for each in cells if each["role"] == "selected"}
    assert sorted(name for shard in shards for name in shard["cells"]) == sorted(selected)
    assert len(selected) == 21


def test_a_plan_for_github_is_one_line_that_a_matrix_takes() -> None:
    ended = run("plan", "--shards", "2", "--format", "github")
    assert ended.output.count("\n") == 1
    entries = json.loads(ended.output)["include"]
    assert [entry["shard"] for entry in entries] == ["1/2", "2/2"]
    assert all(name.startswith("embedded-1.35-") for entry in entries for name in entry["cells"].split("\n"))


def test_a_plan_for_people_names_shards_cells_and_times() -> None:
    ended = run("plan", "--shards", "2", "--builder", "rootless-unset")
    assert "  embedded-1.35-baseline-rootless-unset\n" in ended.output
    assert ended.output.splitlines()[-1].startswith("the slowest takes about ")


def test_a_shard_runs_exactly_the_cells_that_the_plan_gives_it(tmp_path: Path) -> None:
    shards = planned("--shards", "3")["shards"]
    assert isinstance(shards, list)
    for shard in shards:
        shown = run("run", "--plan", "--shard", f"{shard['index']}/{shard['of']}")
        lines = [line for line in shown.output.splitlines() if line.startswith("embedded") and "control" not in line]
        assert lines == shard["cells"]
        file = tmp_path / "cells"
        file.write_text("\n".join(shard["cells"]))
        assert run("run", "--plan", "--cells", str(file)).output == shown.output


def test_measured_times_change_the_plan(tmp_path: Path) -> None:
    slow = UNSET.model_copy(update={"id": "embedded-1.35-baseline-rootless-unset"})
    folder = ran(tmp_path, "2026-11-21", (slow, result(slow, seconds=500)))
    shards = planned("--shards", "2", "--durations", str(folder.path))["shards"]
    assert isinstance(shards, list)
    assert max(shard["seconds"] for shard in shards) > 500


def two_shards(tmp_path: Path) -> tuple[RunFolder, RunFolder]:
    one = ran(tmp_path / "a", "2026-11-21", (UNSET, result(UNSET)))
    return one, ran(tmp_path / "b", "2026-11-21", (STRICT, refused(STRICT)))


def expected(path: Path, *cells: Cell) -> str:
    content = {"matrix": "m", "shards": [], "cells": [each.model_dump(mode="json", by_alias=True) for each in cells]}
    path.write_text(json.dumps(content))
    return str(path)


def test_shards_are_joined_shown_and_judged(tmp_path: Path) -> None:
    one, other = two_shards(tmp_path)
    ended = run("merge", str(one.path), str(other.path), "--into", str(tmp_path / "m"))
    assert ended.exit_code == 0, ended.output
    assert "2 cells: 2 as-claimed" in ended.output
    written = {path.name for path in (tmp_path / "m").iterdir()}
    assert {"report.html", "matrix.md", "report.json", "junit.xml", "results.jsonl"} <= written


def test_a_broken_claim_of_any_shard_is_the_joined_runs(tmp_path: Path) -> None:
    one, _ = two_shards(tmp_path)
    broken = ran(tmp_path / "c", "2026-11-21", (STRICT, refused(STRICT, outcome=Outcome.WRONG_CLASS)))
    assert run("merge", str(one.path), str(broken.path), "--into", str(tmp_path / "m")).exit_code == 1


def test_a_shard_that_left_nothing_is_a_hole(tmp_path: Path) -> None:
    one, _ = two_shards(tmp_path)
    plan = expected(tmp_path / "plan.json", UNSET, STRICT)
    ended = run("merge", str(one.path), "--plan", plan, "--into", str(tmp_path / "m"))
    assert ended.exit_code == 2
    assert f"not-run: the run that had it ended before it: {STRICT.id}" in ended.output


def test_a_plan_that_is_none_is_told(tmp_path: Path) -> None:
    one, _ = two_shards(tmp_path)
    (tmp_path / "plan.json").write_text("{}")
    ended = run("merge", str(one.path), "--plan", str(tmp_path / "plan.json"), "--into", str(tmp_path / "m"))
    assert isinstance(ended.exception, UsageError)
    assert "write it with `conformance plan --format json`" in str(ended.exception)


def test_a_run_is_published_and_publishing_it_again_changes_nothing(tmp_path: Path) -> None:
    one, _ = two_shards(tmp_path)
    first = run("publish", str(one.path), "--into", str(tmp_path / "reports"))
    assert first.exit_code == 0, first.output
    assert first.output.endswith("4 files changed\n")
    again = run("publish", str(one.path), "--into", str(tmp_path / "reports"))
    assert again.output.endswith("nothing changed\n")


def test_a_run_with_nothing_to_publish_says_so(tmp_path: Path) -> None:
    folder = ran(tmp_path, "2026-11-21", (UNSET, refused(UNSET, outcome=Outcome.INCONCLUSIVE)))
    ended = run("publish", str(folder.path), "--into", str(tmp_path / "reports"))
    assert ended.exit_code == 4
    assert ended.output.startswith("left out: 1 inconclusive\n")
    assert not (tmp_path / "reports").exists()


def test_the_check_finds_edits_claims_without_evidence_and_what_is_stale(tmp_path: Path) -> None:
    one, _ = two_shards(tmp_path)
    reports = tmp_path / "reports"
    run("publish", str(one.path), "--into", str(reports))
    (reports / "README.md").write_text("better words")
    ended = run("publish", "--check", "--into", str(reports), "--as-of", "2027-01-01")
    assert ended.exit_code == 1
    assert "README.md: does not show what is published" in ended.output
    assert "nothing published shows that" in ended.output
    assert "stale: " in ended.output
    assert "its newest run is 41 days old" in ended.output


@pytest.mark.parametrize("command", ["plan", "merge", "publish"])
def test_help_shows_examples(command: str) -> None:
    assert "Examples:" in run(command, "--help").output
