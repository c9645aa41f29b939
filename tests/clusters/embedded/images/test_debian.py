from __future__ import annotations

from pathlib import Path

import pytest

from clusters import process
from clusters.embedded.images.debian import Apt
from clusters.embedded.images.layer import Architecture
from clusters.embedded.images.recipe import Debian, load_cookbook
from clusters.errors import CommandError, ProgramMissingError, UnavailableError


@pytest.fixture
def debian(cookbook_folder: Path) -> Debian:
    return load_cookbook(cookbook_folder).debian


@pytest.mark.usefixtures("apt")
def test_packages_come_with_what_they_need_less_what_counts_as_installed(debian: Debian, tmp_path: Path) -> None:
    names = [package.name for package in Apt(debian, tmp_path / "apt", Architecture.AMD64).resolve(["git", "busybox"])]
    assert names == ["busybox", "git", "libc"]


@pytest.mark.usefixtures("apt")
def test_version_is_read_with_its_epoch(debian: Debian, tmp_path: Path) -> None:
    (package,) = Apt(debian, tmp_path / "apt", Architecture.AMD64).resolve(["busybox"])
    assert package.version == "1:1.0-1"


@pytest.mark.usefixtures("apt")
def test_downloaded_files_are_there(debian: Debian, tmp_path: Path) -> None:
    private = Apt(debian, tmp_path / "apt", Architecture.AMD64)
    files = private.download(private.resolve(["git"]))
    assert len(files) == 2
    assert all(path.is_file() for path in files.values())


@pytest.mark.usefixtures("apt")
def test_apt_is_told_to_touch_nothing_of_the_host(debian: Debian, tmp_path: Path) -> None:
    folder = tmp_path / "apt"
    Apt(debian, folder, Architecture.AMD64)
    config = (folder / "apt.conf").read_text()
    for key in ("Dir::State", "Dir::State::status", "Dir::State::lists", "Dir::Cache", "Dir::Etc::sourcelist"):
        assert f'{key} "{folder}/' in config
    assert "#clear APT::Update;" in config
    assert "#clear DPkg;" in config
    keyring = debian.keyring
    assert (folder / "sources.list").read_text() == (
        f"deb [signed-by={keyring}] http://deb.test/debian bookworm main\n"
    )


def test_missing_keyring_names_the_package_to_install(debian: Debian, tmp_path: Path) -> None:
    Path(debian.keyring).unlink()
    with pytest.raises(UnavailableError, match="install the package debian-archive-keyring"):
        Apt(debian, tmp_path / "apt", Architecture.AMD64)


def test_missing_apt_says_why_it_is_needed(debian: Debian, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*_: object, **__: object) -> None:
        raise ProgramMissingError("apt-get")

    monkeypatch.setattr(process, "run", absent)
    with pytest.raises(UnavailableError, match="made from Debian packages"):
        Apt(debian, tmp_path / "apt", Architecture.AMD64)


def test_without_network_the_usual_causes_are_said(
    debian: Debian, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(argv: tuple[str, ...], *, hint: str, **_: object) -> None:
        raise CommandError(tuple(str(word) for word in argv), 100, "E: Could not resolve 'deb.test'", hint)

    monkeypatch.setattr(process, "run", offline)
    with pytest.raises(CommandError, match=r"(?s)Could not resolve 'deb\.test'.*no network"):
        Apt(debian, tmp_path / "apt", Architecture.AMD64)
