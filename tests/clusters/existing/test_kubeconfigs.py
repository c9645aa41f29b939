from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from clusters.errors import UnavailableError, UsageError
from clusters.existing import kubeconfigs
from tests.clusters.existing.cluster import write_kubeconfig


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    one, two = tmp_path / "one", tmp_path / "two"
    write_kubeconfig(one, "http://one", context="a", current="b")
    write_kubeconfig(two, "http://two", context="b", current="a")
    monkeypatch.setenv("KUBECONFIG", f"{one}:{tmp_path / 'none'}:{two}")
    return one, two


def test_of_several_files_the_first_that_says_a_thing_counts(files: tuple[Path, Path]) -> None:
    one, two = files
    assert kubeconfigs.resolve(None, "") == kubeconfigs.Place(kubeconfig=two, context="b")
    assert kubeconfigs.resolve(None, "a") == kubeconfigs.Place(kubeconfig=one, context="a")


def test_a_context_there_is_not_is_refused_with_those_there_are(files: tuple[Path, Path]) -> None:
    with pytest.raises(UsageError, match=r"no context 'c'\. There are: a, b"):
        kubeconfigs.resolve(None, "c")
    with pytest.raises(UsageError, match="no context 'b'"):
        kubeconfigs.resolve(files[0], "b")


def test_a_context_whose_user_is_in_another_file_is_refused(files: tuple[Path, Path]) -> None:
    config = yaml.safe_load(files[0].read_text())
    config["users"] = []
    files[0].write_text(yaml.safe_dump(config))
    with pytest.raises(UsageError, match="names the user 'u', which that file does not have"):
        kubeconfigs.resolve(None, "a")


def test_no_kubeconfig_at_all_says_how_to_name_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with pytest.raises(UnavailableError, match="--kubeconfig"):
        kubeconfigs.resolve(None, "")


def test_what_is_no_kubeconfig_is_refused(tmp_path: Path) -> None:
    (tmp_path / "k").write_text("- a\n")
    with pytest.raises(UsageError, match="is none"):
        kubeconfigs.resolve(tmp_path / "k", "")
