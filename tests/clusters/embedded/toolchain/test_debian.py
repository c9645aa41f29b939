from __future__ import annotations

import pytest

from clusters.embedded import toolchain
from clusters.errors import UnavailableError
from tests.clusters.embedded.toolchain.machine import Machine

_APT = r"""#!/bin/sh
here=$(dirname "$0")
echo "$*" >>"$here/apt.log"
case "$1" in
update) touch "$here/lists" ;;
download) [ -f "$here/offline" ] && { echo "Err: Temporary failure resolving"; exit 100; }
  echo package >"$2_1.deb" ;;
esac
"""
_POLICY = r"""#!/bin/sh
[ -f "$(dirname "$0")/lists" ] && echo "  Candidate: 3.4" || echo "  Candidate: (none)"
"""
_DPKG = r"""#!/bin/sh
case "$1" in
--extract) mkdir -p "$3/usr/bin"; echo etcd >"$3/usr/bin/etcd" ;;
--field) [ "$3" = Version ] && echo 1:3.4 || echo amd64 ;;
esac
"""


@pytest.fixture
def debian(machine: Machine) -> Machine:
    machine.script("apt-get", _APT)
    machine.script("apt-cache", _POLICY)
    machine.script("dpkg-deb", _DPKG)
    machine.tell_go("lists")
    return machine


def _etcd(machine: Machine) -> str:
    return str(toolchain.ensure(toolchain.pick(["etcd"]), progress=machine.said.append)["etcd"])


def _asked(machine: Machine) -> list[str]:
    return (machine.bin / "apt.log").read_text(encoding="utf-8").splitlines()


def test_program_is_taken_from_its_package_without_installing_it(debian: Machine) -> None:
    path = _etcd(debian)
    assert "/etcd-1-3.4-" in path, "the version of the package, fit for a path"
    assert _asked(debian) == ["download etcd-server"]


def test_package_is_fetched_once(debian: Machine) -> None:
    first = _etcd(debian)
    assert _etcd(debian) == first
    assert len(_asked(debian)) == 1


def test_package_lists_are_fetched_when_there_are_none(debian: Machine) -> None:
    (debian.bin / "lists").unlink()
    _etcd(debian)
    assert _asked(debian) == ["update", "download etcd-server"]


def test_user_whose_apt_cannot_fetch_is_told_what_to_do(debian: Machine) -> None:
    debian.tell_go("offline")
    with pytest.raises(UnavailableError, match=r"(?s)etcd-server.*could not be fetched.*apt-get update.*resolving"):
        _etcd(debian)


def test_package_that_packs_the_program_elsewhere_is_told(debian: Machine) -> None:
    debian.script("dpkg-deb", '[ "$1" = --extract ] && mkdir -p "$3" || echo 1')
    with pytest.raises(UnavailableError, match=r"etcd-server has no usr/bin/etcd"):
        _etcd(debian)


def test_machine_without_apt_uses_the_program_on_path(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(machine.bin))
    with pytest.raises(UnavailableError, match=r"no apt: install a program 'etcd' so that it is on PATH"):
        _etcd(machine)
    machine.script("etcd", "true")
    assert _etcd(machine) == str(machine.bin / "etcd")
