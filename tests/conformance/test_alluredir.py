"""`pytest --alluredir`, with xdist's workers and without."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from conformance import alluredir
from conformance.artifacts import RunFolder
from tests.conformance.records import cell, control, result

pytest_plugins = ["pytester"]

#: What `conformance.plugin` does of it, around items that need no cluster.
CONFTEST = """
from pathlib import Path
import pytest
from conformance import alluredir
from conformance.artifacts import RunFolder

@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session):
    alluredir.take_over(session.config)

def pytest_sessionfinish(session):
    if not hasattr(session.config, "workerinput"):
        alluredir.write(session.config, RunFolder(Path({folder!r})), print)
"""


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder.create(tmp_path / "runs")
    made.write_plan([control(), cell()])
    made.append_result(result())
    return made


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_cells_are_reported_from_their_results_and_not_from_items(
    pytester: pytest.Pytester, folder: RunFolder, tmp_path: Path, workers: str
) -> None:
    pytester.makeconftest(CONFTEST.format(folder=str(folder.path)))
    pytester.makepyfile("def test_cell(): pass\ndef test_other(): pass")
    into = tmp_path / "allure"
    ended = pytester.runpytest_subprocess(workers, f"--alluredir={into}", "-p", "no:cacheprovider")
    ended.assert_outcomes(passed=2)
    items = [json.loads(path.read_text()) for path in into.glob("*-result.json")]
    assert sorted(item["name"] for item in items) == sorted([control().id, cell().id])
    assert list(into.glob("*-container.json")) == []


def test_without_the_option_nothing_is_written(pytestconfig: pytest.Config, folder: RunFolder) -> None:
    alluredir.write(pytestconfig, folder, pytest.fail)
    assert {path.name for path in folder.path.iterdir()} == {"plan.jsonl", "results.jsonl"}


def test_a_folder_that_cannot_be_written_is_told_with_what_to_run(folder: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    config = cast("pytest.Config", SimpleNamespace(getoption=lambda *_: str(tmp_path / "file" / "x")))
    told: list[str] = []
    alluredir.write(config, folder, told.append)
    assert told[0].endswith(f"run `conformance report {folder.path} --allure DIR`")
