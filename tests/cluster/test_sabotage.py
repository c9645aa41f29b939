"""What breaks under a cell is never held against its builder."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from clusters import process, waiting
from clusters.embedded.layout import layout_of
from clusters.embedded.provider import EmbeddedProvider
from clusters.provider import Cluster, ClusterSpec
from conformance import chart, fixtures, preflight
from conformance.artifacts import RunFolder
from conformance.cells import Bench, bench_of, run_cell
from conformance.handover import ClusterHandover, Shared
from conformance.judge import ControlVerdict
from conformance.kube import Kube
from conformance.lifecycle import Lifecycle
from conformance.model import Outcome, Result, Stage, VerdictKind
from conformance.options import Request
from tests.cluster.leftovers import commands_in, look, pid_outside
from tests.cluster.runs import BUILDING, LINE, SOON, cleared, start

pytestmark = pytest.mark.cluster

#: A builder that is claimed to build, so that a wrong judgement would break a claim.
REQUEST = Request(psa=("baseline",), builder=("rootless-unset",))


class Table:
    """Where a test runs one cell by itself."""

    def __init__(self, folder: Path) -> None:
        self.checked = preflight.check(REQUEST.model_copy(update={"run_dir": folder}))
        (self.cell,) = self.checked.plan.cells
        self.folder = RunFolder.create(folder)
        self.folder.write_plan(self.checked.plan)
        self.shared = Shared(
            run_id=self.folder.run_id,
            folder=self.folder.path,
            request=self.checked.request,
            charts=dict(self.checked.charts),
            claims=self.checked.claims,
            helm=chart.helm_version(),
            git_commit="",
        )

    def furnish(self, cluster: Cluster) -> ClusterHandover:
        lifecycle = Lifecycle(self.checked, self.shared, self.folder, lambda _: None)
        return lifecycle._furnish(self.cell.key, cluster, seconds=0)

    def bench(self, handover: ClusterHandover) -> Bench:
        built = ControlVerdict(builds=True)
        return bench_of(self.cell, self.shared, handover.model_copy(update={"control": built}))


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return Table(tmp_path / "runs")


def assert_inconclusive(result: Result, *classes: str) -> None:
    assert result.outcome is Outcome.INCONCLUSIVE, result
    assert result.kind is VerdictKind.INFRASTRUCTURE, result
    assert result.class_ in classes, result


def test_a_registry_that_is_gone_before_the_push_makes_a_cell_inconclusive(cluster: Cluster, table: Table) -> None:
    with Kube(cluster.kubeconfig, user_agent="test") as kube:

        def began(stage: Stage) -> None:
            if stage is Stage.PUSH:
                kube.delete_pod(fixtures.NAMESPACE, "registry")
                waiting.until(lambda: not registry_serves(), limit=SOON, what="the registry's end")

        def registry_serves() -> bool:
            return any("registry serve" in command for command in commands_in(layout_of(cluster.name)))

        try:
            handover = table.furnish(cluster)
            assert registry_serves()
            result = run_cell(table.cell, table.bench(handover), began=began)
        finally:
            kube.delete_namespace(fixtures.NAMESPACE)
    assert_inconclusive(result, "registry-conn-refused")
    assert result.stage is Stage.PUSH
    assert result.tries == ("registry-conn-refused",)


@pytest.fixture
def small_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file system of its own for clusters."""
    folder = tmp_path / "disk"
    folder.mkdir()
    process.run(["mount", "-t", "tmpfs", "-o", "size=6g", "tmpfs", folder])
    monkeypatch.setenv("BUILD_CONFORMANCE_STATE_DIR", str(folder))
    try:
        yield folder
    finally:
        process.run(["umount", folder])


@pytest.fixture
def cluster_on_small_disk(small_disk: Path) -> Iterator[Cluster]:
    assert small_disk.is_dir()
    name = "t-disk"
    provider = EmbeddedProvider()
    try:
        yield provider.create(ClusterSpec(name=name, run_id=name, kubernetes=LINE), lambda _: None)
    finally:
        provider.delete(name)


def fill(disk: Path) -> bool:
    """Leave a file system no room but what the next moment takes; say whether that moment was not too late."""
    size = shutil.disk_usage(disk).used + 64 * 1024
    return process.run(["mount", "-o", f"remount,size={size}", disk], check=False).returncode == 0


def test_a_node_out_of_disk_makes_a_cell_inconclusive(
    cluster_on_small_disk: Cluster, small_disk: Path, table: Table
) -> None:
    def began(stage: Stage) -> None:
        if stage is Stage.LOCAL_COPY:
            waiting.until(lambda: fill(small_disk), limit=SOON, what="the disk to be full")

    handover = ClusterHandover(key=table.cell.key, cluster=cluster_on_small_disk)
    result = run_cell(table.cell, table.bench(handover), began=began)
    assert_inconclusive(result, "disk-full", "pod-evicted")


def test_a_killed_api_server_ends_a_run_soon_and_says_nothing_of_the_builders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUILD_CONFORMANCE_STATE_DIR", str(tmp_path / "state"))
    before = look("nothing-yet")
    with cleared(start(tmp_path, *BUILDING)) as running:
        running.wait_for_line("[control]")
        running.wait_for_a_build()
        found = running.layout
        os.kill(pid_outside(found, "kube-apiserver"), signal.SIGKILL)
        assert running.end() == 2, running.said
        assert look(found.name) == before
        assert not found.root.exists()
        results = running.folder.complete_results()
        assert {each.cell for each in results} == {each.id for each in running.folder.read_plan()}
        struck = [each for each in results if each.outcome is Outcome.INCONCLUSIVE]
        assert struck
        for each in struck:
            assert_inconclusive(each, "api-server-unreachable")
        # A build that lost its connection before the death was known cites that; the run names the dead component.
        assert f"cluster {found.name} broke: kube-apiserver: was killed by SIGKILL" in running.said
        absent = [each for each in results if each.outcome is Outcome.NOT_RUN]
        assert {each.reason for each in absent} <= {"cluster failed: kube-apiserver: was killed by SIGKILL"}
        assert {each.outcome for each in results} <= {Outcome.AS_CLAIMED, Outcome.INCONCLUSIVE, Outcome.NOT_RUN}
        assert list((running.folder.path / "clusters" / found.name).rglob("kube-apiserver.log"))
