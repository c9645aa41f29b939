from __future__ import annotations

from collections import namedtuple

import pytest

from clusters.embedded import toolchain
from clusters.embedded.toolchain import cache, disk
from clusters.embedded.toolchain.jobs import jobs_for
from clusters.errors import UnavailableError
from tests.clusters.embedded.toolchain.machine import Machine

_Usage = namedtuple("_Usage", "total used free")  # noqa: PYI024 - what shutil returns
_GIB = 2**30


def _free(monkeypatch: pytest.MonkeyPatch, gib: float) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: _Usage(100 * _GIB, 0, int(gib * _GIB)))


def test_user_with_a_small_disk_is_told_before_anything_starts(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    _free(monkeypatch, 3)
    with pytest.raises(UnavailableError, match=r"takes \d+\.\d GiB .* has 3\.0 GiB free.*BUILD_CONFORMANCE_CACHE_DIR"):
        toolchain.ensure(toolchain.programs_for(), progress=machine.said.append)
    assert machine.go_did() == []


def test_small_build_fits_where_the_whole_plan_does_not(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    _free(monkeypatch, 3)
    toolchain.ensure(toolchain.pick(["rootlesskit"]), progress=machine.said.append)
    assert machine.built() == ["rootlesskit"]


@pytest.mark.usefixtures("machine")
def test_tool_that_is_built_in_two_jobs_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = jobs_for(toolchain.pick(["containerd", "containerd-shim-runc-v2"]))
    assert len(jobs) == 2
    _free(monkeypatch, jobs[0].first.disk_gib + 0.6)
    cache.work()
    disk.check(jobs)


@pytest.mark.usefixtures("machine")
def test_what_an_interrupted_run_left_counts_as_room(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = jobs_for(toolchain.pick(["coredns"]))
    _free(monkeypatch, 0.6)
    cache.work()
    with pytest.raises(UnavailableError):
        disk.check(jobs)
    monkeypatch.setattr(cache, "size_of", lambda _: int(jobs[0].first.disk_gib * _GIB))
    disk.check(jobs)


def test_disk_that_becomes_full_while_building_is_said_as_such(machine: Machine) -> None:
    machine.tell_go("go-fails-at-coredns", "write /x/y: no space left on device")
    with pytest.raises(UnavailableError, match=r"became full while coredns was built.*goes on from here"):
        toolchain.ensure(toolchain.pick(["coredns"]), progress=machine.said.append)
