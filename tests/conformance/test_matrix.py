from __future__ import annotations

from pathlib import Path

import pytest

from conformance import matrix
from conformance.errors import UsageError

BUILDER = 'summary = "s"\norigin = "o"\nimage = "buildkit-rootless"\n'
MATRIX = """\
summary = "s"

[[cells]]
clusters = ["embedded"]
kubernetes = ["1.35"]
levels = ["baseline"]
builders = ["*"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "builders").mkdir()
    (tmp_path / "claims").mkdir()
    (tmp_path / "builders" / "one.toml").write_text(BUILDER)
    (tmp_path / "builders" / "two.toml").write_text(f"{BUILDER}control = true\n")
    (tmp_path / "mine.toml").write_text(MATRIX)
    (tmp_path / "durations.toml").write_text("")
    return tmp_path


def test_a_matrix_is_read_by_name(folder: Path) -> None:
    read = matrix.load("mine", folder=folder)
    assert (read.name, sorted(read.builders), read.folder) == ("mine", ["one", "two"], folder)


def test_a_matrix_is_read_by_path_with_the_builders_and_claims_beside_it(folder: Path, tmp_path: Path) -> None:
    read = matrix.load(str(folder / "mine.toml"), folder=tmp_path / "elsewhere")
    assert sorted(read.builders) == ["one", "two"]
    assert read.folder == folder


def test_a_lone_matrix_file_uses_the_projects_builders_and_claims(folder: Path, tmp_path: Path) -> None:
    lone = tmp_path / "lone" / "mine.toml"
    lone.parent.mkdir()
    lone.write_text(MATRIX)
    read = matrix.load(str(lone), folder=folder)
    assert sorted(read.builders) == ["one", "two"]
    assert read.folder == folder


def test_an_unknown_matrix_is_told_with_those_there_are(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"unknown matrix 'mien': did you mean 'mine'\? Known matrices: mine"):
        matrix.load("mien", folder=folder)


def test_a_data_file_that_is_no_matrix_is_none(folder: Path) -> None:
    assert matrix.names(folder) == ("mine",)


def test_the_faults_of_all_builders_are_told_at_once(folder: Path) -> None:
    (folder / "builders" / "one.toml").write_text(f"{BUILDER}sumary = 1\n")
    (folder / "builders" / "two.toml").write_text("x = 1\n" + BUILDER)
    with pytest.raises(UsageError) as caught:
        matrix.load_builders(folder / "builders")
    assert len(caught.value.faults) == 2


def test_a_builders_name_is_its_files(folder: Path) -> None:
    (folder / "builders" / "Bad Name.toml").write_text(BUILDER)
    with pytest.raises(UsageError, match=r"Bad Name\.toml: 'name' is 'Bad Name'"):
        matrix.load_builders(folder / "builders")


def test_no_control_builder_is_refused(folder: Path) -> None:
    (folder / "builders" / "two.toml").write_text(BUILDER)
    with pytest.raises(UsageError, match=r"exactly one builder must say `control = true`.*none does"):
        matrix.load_builders(folder / "builders")


def test_two_control_builders_are_refused(folder: Path) -> None:
    (folder / "builders" / "one.toml").write_text(f"{BUILDER}control = true\n")
    with pytest.raises(UsageError, match="one, two do"):
        matrix.load_builders(folder / "builders")


def test_a_folder_without_builders_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no builder"):
        matrix.load_builders(tmp_path)
