from __future__ import annotations

from clusters.embedded import toolchain
from clusters.embedded.toolchain import cache
from clusters.embedded.toolchain.cache import Identity
from clusters.embedded.toolchain.prune import prune
from tests.clusters.embedded.toolchain.machine import Machine


def _fill(machine: Machine) -> None:
    toolchain.ensure(toolchain.pick(["coredns"]), progress=machine.said.append)
    toolchain.ensure(toolchain.pick(["kubelet"], kubernetes="1.34"), progress=machine.said.append)
    old = cache.work() / "old"
    old.write_bytes(b"x" * 100_000)
    cache.publish(Identity(folder="coredns-v1.0.0-abc", made_from={"version": "v1.0.0"}), "coredns", old)
    (cache.work() / "mod").mkdir()


def test_what_current_versions_use_is_kept_and_the_rest_removed(machine: Machine) -> None:
    _fill(machine)
    freed = prune(everything=False, progress=machine.said.append)
    assert sorted(path.name.rsplit("-", 1)[0] for path in cache.folders()) == ["coredns-v1.15.0", "kubelet-v1.34.4"]
    assert freed >= 100_000
    assert any("coredns-v1.0.0-abc" in line for line in machine.said)


def test_everything_goes_when_asked_for(machine: Machine) -> None:
    _fill(machine)
    prune(everything=True, progress=machine.said.append)
    assert cache.folders() == ()


def test_nothing_built_is_removed_where_there_is_no_go_to_tell_what_is_current(machine: Machine) -> None:
    _fill(machine)
    (machine.bin / "go").unlink()
    prune(everything=False, progress=machine.said.append)
    assert len(cache.folders()) == 3
    assert not cache.work_exists()


def test_empty_cache_can_be_pruned(machine: Machine) -> None:
    assert prune(everything=False, progress=machine.said.append) == 0
