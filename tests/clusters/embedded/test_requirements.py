from __future__ import annotations

from pathlib import Path

import pytest

from clusters import process
from clusters.embedded import requirements
from clusters.embedded.requirements import Requirement
from clusters.errors import UnavailableError
from clusters.process import Completed

ABSENT = Requirement(name="no-such-package", proof="no-such-program-anywhere", why="for the test")


class Apt:
    """Stands in for apt-get: remembers what was run, and brings what it is asked for when told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, brings: Path | None = None) -> None:
        self.ran: list[list[str]] = []
        self._brings = brings
        monkeypatch.setattr(process, "run", self._run)
        monkeypatch.setattr(requirements, "_is_debian", lambda: True)
        monkeypatch.setattr("os.geteuid", lambda: 0)

    def _run(self, argv: list[str], **_: object) -> Completed:
        self.ran.append(argv)
        if self._brings is not None and "install" in argv:
            self._brings.touch()
        return Completed(argv=tuple(argv), returncode=0, stdout="", stderr="")


def test_every_listed_package_says_what_proves_it_and_why_it_is_needed() -> None:
    packages = requirements.load()
    assert {"nftables", "iproute2", "libseccomp-dev"} <= {package.name for package in packages}
    assert all(package.proof and package.why for package in packages)
    assert len({package.name for package in packages}) == len(packages)


def test_what_proves_a_package_may_be_a_program_or_a_file_with_wildcards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lib-x.h").touch()
    found = Requirement(name="file", proof=f"{tmp_path}/lib-*.h", why="w")
    program = Requirement(name="program", proof="sh", why="w")
    monkeypatch.setattr(requirements, "load", lambda *_: (found, program, ABSENT))
    assert requirements.missing() == (ABSENT,)


def test_missing_packages_are_named_before_they_are_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = Requirement(name="thing", proof=str(tmp_path / "thing"), why="w")
    monkeypatch.setattr(requirements, "load", lambda *_: (package,))
    apt = Apt(monkeypatch, brings=tmp_path / "thing")
    said: list[str] = []
    requirements.install(requirements.missing(), lambda line: said.append(f"{line} after {len(apt.ran)}"))
    assert said[0].startswith("installing the missing Debian packages thing")
    assert said[0].endswith("after 0")
    assert [argv[2] for argv in apt.ran] == ["update", "install"]
    assert "--no-install-recommends" in apt.ran[1]


def test_an_installation_that_brings_nothing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements, "load", lambda *_: (ABSENT,))
    Apt(monkeypatch)
    with pytest.raises(UnavailableError, match="after the installation"):
        requirements.install((ABSENT,), lambda _: None)


def test_nothing_is_run_when_nothing_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    apt = Apt(monkeypatch)
    requirements.install((), lambda _: None)
    assert apt.ran == []


def test_a_refusal_lists_what_to_install_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    apt = Apt(monkeypatch)
    monkeypatch.setenv(requirements.INSTALL_VARIABLE, "0")
    with pytest.raises(UnavailableError, match=r"apt-get install no-such-package.*--no-install-deps"):
        requirements.install((ABSENT,), lambda _: None)
    assert apt.ran == []


def test_elsewhere_and_without_root_nothing_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    apt = Apt(monkeypatch)
    monkeypatch.setattr(requirements, "_is_debian", lambda: False)
    with pytest.raises(UnavailableError, match="neither Debian nor Ubuntu"):
        requirements.install((ABSENT,), lambda _: None)
    monkeypatch.setattr(requirements, "_is_debian", lambda: True)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(UnavailableError, match="only root"):
        requirements.install((ABSENT,), lambda _: None)
    assert apt.ran == []
