"""A cell says where it is while it runs, and nothing of that is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance import progress
from conformance.artifacts import RunFolder
from conformance.model import Stage


def test_a_cell_that_runs_is_seen_with_its_stage_until_it_is_forgotten(tmp_path: Path) -> None:
    folder, heard = RunFolder.create(tmp_path), list[Stage]()
    note = progress.noting(folder, "one", heard.append)
    assert progress.running(folder) == {}
    note(Stage.ADMISSION)
    note(Stage.PULL)
    assert progress.running(folder)["one"].stage is Stage.PULL
    assert heard == [Stage.ADMISSION, Stage.PULL]
    progress.forget(folder, "one")
    assert progress.running(folder) == {}
    progress.forget(folder, "one")


def test_the_longest_running_cell_comes_first(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path)
    for name, since in (("a", 20.0), ("b", 10.0)):
        folder.write_page(f"progress/{name}", f"{since} git")
    assert list(progress.running(folder)) == ["b", "a"]


@pytest.mark.parametrize("text", ["", "12", "12 nonsense", "nonsense git", "\udcff"])
def test_what_is_not_whole_is_left_out(tmp_path: Path, text: str) -> None:
    folder = RunFolder.create(tmp_path)
    (folder.path / "progress").mkdir()
    (folder.path / "progress" / "one").write_bytes(text.encode(errors="surrogateescape"))
    assert progress.running(folder) == {}


def test_a_note_that_cannot_be_written_harms_nothing(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path)
    (folder.path / "progress").write_text("in the way")
    heard: list[Stage] = []
    progress.noting(folder, "one", heard.append)(Stage.GIT)
    assert heard == [Stage.GIT]
    assert progress.running(folder) == {}


def test_what_a_killed_process_left_is_cleared(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path)
    progress.noting(folder, "one", lambda _: None)(Stage.GIT)
    progress.clear(folder)
    assert not (folder.path / "progress").exists()
    progress.clear(folder)
