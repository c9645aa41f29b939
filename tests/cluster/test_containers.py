"""Real kind and k3d clusters: a Docker engine, or root for one of our own, is needed. About two minutes each."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from clusters import holders, janitor, ledger, paths, process, providers, waiting
from clusters.docker import engines, own, own_layout
from clusters.docker.provider import ContainerProvider
from clusters.errors import TooSlowError
from clusters.provider import Capability, ClusterSpec
from tests.cluster.leftovers import Machine, look

pytestmark = pytest.mark.docker

#: Seconds within which a creation has ended or failed.
LATER = 900.0
#: How many times a creation is killed, each at another moment; set KILLS for more.
KILLS = int(os.environ.get("KILLS", "2"))
#: Seconds after the lease is there within which a kill comes.
SPREAD = 90.0


@pytest.fixture(scope="module", autouse=True)
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    patch = pytest.MonkeyPatch()
    folder = tmp_path_factory.mktemp("s")
    patch.setenv("BUILD_CONFORMANCE_STATE_DIR", str(folder))
    yield folder
    janitor.sweep(providers.PROVIDERS, everything=True)
    patch.undo()


@pytest.fixture(params=["kind", "k3d"])
def provider(request: pytest.FixtureRequest) -> ContainerProvider:
    found = providers.find(request.param)
    assert isinstance(found, ContainerProvider)
    found.prepare(spec(), say)
    return found


def spec() -> ClusterSpec:
    return ClusterSpec(name="t-one", run_id="test", kubernetes="1.35")


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def everything() -> tuple[Machine, str | None, frozenset[str], frozenset[str] | None]:
    """Look for all that a cluster, or the engine under it, could leave on this machine."""
    group = own_layout.own().cgroup
    groups = frozenset(str(path) for path in Path("/sys/fs/cgroup").glob(f"*/{group}"))
    images = frozenset(engines.Engine().lines("image", "ls", "--quiet")) if not engines.why_unusable("docker") else None
    return look("t-one"), own.trace(), groups, images


def test_a_cluster_is_listed_used_explained_and_removed_whole(provider: ContainerProvider, tmp_path: Path) -> None:
    before = everything()
    made = provider.create(spec(), say)
    try:
        assert [lease.name for lease in provider.list_leases()] == ["t-one"]
        assert provider.state("t-one") == "ready"
        assert provider.why_broken("t-one") is None
        assert {Capability.PRELOADED_IMAGES, Capability.NODE_PULLS_FIXTURES, Capability.OURS} <= made.capabilities
        assert made.facts["kubelet"].startswith("v1.35.")
        assert made.kubeconfig.stat().st_mode & 0o077 == 0
        inside = process.run(
            [*provider.node_command("t-one"), "cat", "/proc/sys/kernel/hostname"], env=environment(provider)
        )
        assert inside.stdout.strip() == made.facts["node"]
        provider.collect_logs("t-one", tmp_path)
        assert (tmp_path / made.facts["node"] / "log.txt").stat().st_size > 0
        process.run(
            [*provider.node_command("t-one"), "sh", "-c", "kill -9 $(pgrep -o -x kubelet) || true"],
            env=environment(provider),
        )
    finally:
        provider.delete("t-one")
    provider.delete("t-one")
    assert everything() == before
    assert provider.list_leases() == ()
    assert provider.state("t-one") == "gone"


@pytest.mark.parametrize("number", range(KILLS))
def test_what_a_creation_killed_at_any_moment_left_is_removed_by_the_janitor(
    provider: ContainerProvider, tmp_path: Path, number: int
) -> None:
    before = everything()
    log = tmp_path / "creation.log"
    creator = process.spawn(
        [sys.executable, "-m", "clusters", "create", "t-one", "--provider", provider.name],
        log=log,
        cwd=paths.CHECKOUT,
    )
    waiting.until(lambda: ledger.find(provider.name, "t-one"), limit=LATER, what="the lease")
    # Another moment each time, the same ones in each run of the tests.
    moment = random.Random(f"{provider.name} {number}").uniform(0, SPREAD)  # noqa: S311 - no secret
    with suppress(TooSlowError):
        waiting.until(lambda: creator.poll() is not None, limit=moment, what="the creation to end by itself")
    creator.kill()
    creator.wait(LATER)
    lease = ledger.find(provider.name, "t-one")
    assert lease is None or lease.kept or not holders.is_alive(lease)
    janitor.sweep(providers.PROVIDERS, everything=True)
    assert everything() == before, log.read_text()
    assert ledger.leases() == ()


def environment(provider: ContainerProvider) -> dict[str, str]:
    return {**os.environ, **provider.environment("t-one")}
