"""The controlling process: what is created is deleted, what was planned has a result, whatever goes wrong."""

from __future__ import annotations

import errno
import io
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest
from rich.console import Console

from clusters import providers, waiting
from clusters.errors import ClusterFailedError
from clusters.provider import (
    Capability,
    Cluster,
    ClusterSpec,
    Image,
    ImageRole,
    Lease,
    NodeConditions,
    Progress,
    Provenance,
)
from conformance import chart, lifecycle, preflight
from conformance.cells import Bench
from conformance.controller import Controller
from conformance.errors import ExitCode, UsageError
from conformance.handover import ClusterHandover
from conformance.judge import not_run
from conformance.model import Cell, ClusterKey, Outcome, Result, VerdictKind
from conformance.options import Request
from conformance.preparation import prepare


class FakeProvider:
    """A provider at its seam: remembers what it was told, fails where it is told to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls: list[str] = []
        self.fails: Exception | None = None
        self.hangs = False
        self.broken: str | None = None
        self.begun = Event()
        #: Clusters that exist at this moment, and the most there ever were.
        self.standing = 0
        self.most = 0

    def why_unavailable(self) -> str | None:
        return None

    def create(self, spec: ClusterSpec, progress: Progress) -> Cluster:
        self.calls.append(f"create {spec.kubernetes}")
        self.standing += 1
        self.most = max(self.most, self.standing)
        progress("creating")
        self.begun.set()
        if self.hangs:
            waiting.until(lambda: None, limit=60, what="the end of time")
        if self.fails is not None:
            raise self.fails
        images = {role: Image(role=role, reference=f"localhost/{role}", digest="d", origin="o") for role in ImageRole}
        return Cluster(
            name=spec.name,
            provider="embedded",
            run_id=spec.run_id,
            kubeconfig=self.folder / "kubeconfig",
            kubernetes=spec.kubernetes,
            provenance=Provenance.GENUINE,
            capabilities=frozenset(Capability),
            images=images,
        )

    def delete(self, name: str) -> None:
        assert name
        self.standing -= 1
        self.calls.append("delete")

    def collect_logs(self, name: str, into: Path) -> None:
        self.calls.append("logs")
        (into / "component.log").write_text(name)

    def why_broken(self, name: str) -> str | None:
        assert name
        return self.broken

    def why_impossible(self, conditions: NodeConditions) -> str | None:
        return "no AppArmor" if conditions.apparmor else None

    def weight(self) -> int:
        return 1

    def list_leases(self) -> tuple[Lease, ...]:
        return ()


@pytest.fixture
def provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeProvider:
    fake = FakeProvider(tmp_path)
    monkeypatch.setattr(providers, "PROVIDERS", {"embedded": fake})
    monkeypatch.setattr(preflight, "PROVIDERS", {"embedded": fake})
    monkeypatch.setattr(chart, "helm_version", lambda: "3.0.0")

    def furnish(_: object, key: ClusterKey, cluster: Cluster, *, seconds: float) -> ClusterHandover:
        return ClusterHandover(key=key, cluster=cluster, seconds=seconds)

    monkeypatch.setattr(lifecycle.Lifecycle, "_furnish", furnish)
    return fake


@pytest.fixture
def control(monkeypatch: pytest.MonkeyPatch) -> Callable[[str | None], None]:
    def decide(class_: str | None) -> None:
        def run(cell: Cell, _: Bench) -> Result:
            kind = VerdictKind.INFRASTRUCTURE if class_ else None
            return not_run(cell, "").model_copy(
                update={"outcome": Outcome.AS_CLAIMED, "class_": class_, "kind": kind, "reason": ""}
            )

        monkeypatch.setattr(lifecycle, "run_cell", run)

    return decide


@pytest.fixture
def controller(provider: FakeProvider, tmp_path: Path) -> Controller:
    assert provider.calls == []
    request = Request(psa=("baseline",), builder=("rootless-unset",), run_dir=tmp_path / "runs")
    return Controller(preflight.check(request))


def begun(controller: Controller) -> ClusterHandover:
    """Begin a run and return its first cluster as its workers meet it."""
    handed = controller.begin()
    return handed.of(handed.cells[0])


def lines(controller: Controller) -> dict[str, Result]:
    folder = controller._folder
    assert folder is not None
    return {result.cell: result for result in folder.read_results()}


def test_a_run_creates_hands_over_and_deletes(
    controller: Controller, provider: FakeProvider, control: Callable[[str | None], None]
) -> None:
    control(None)
    handed = controller.begin()
    cluster = handed.of(handed.cells[0])
    assert cluster.control is not None
    assert cluster.control.builds
    assert [cell.id for cell in handed.cells] == ["embedded-1.35-baseline-rootless-unset"]
    controller.end()
    assert provider.calls == ["create 1.35", "delete"]


def test_a_control_that_cannot_build_is_handed_to_the_workers(
    controller: Controller, control: Callable[[str | None], None]
) -> None:
    control("disk-full")
    cluster = begun(controller)
    assert cluster.control is not None
    assert not cluster.control.builds
    assert cluster.control.reason == "disk-full"


def test_a_cluster_that_fails_leaves_logs_results_and_nothing_else(
    controller: Controller, provider: FakeProvider, control: Callable[[str | None], None], tmp_path: Path
) -> None:
    control(None)
    provider.fails = ClusterFailedError("c", "start etcd", "it died")
    cluster = begun(controller)
    assert "it died" in cluster.failure
    assert (cluster.why_not(controller.checked.plan.cells[0]) or "").startswith("cluster failed: ")
    assert controller.finish() == ExitCode.INFRASTRUCTURE
    controller.end()
    assert provider.calls == ["create 1.35", "logs", "delete"]
    assert {result.outcome for result in lines(controller).values()} == {Outcome.NOT_RUN}
    assert list((tmp_path / "runs").rglob("component.log"))


def test_a_cluster_that_breaks_under_a_run_leaves_its_logs(
    controller: Controller, provider: FakeProvider, control: Callable[[str | None], None]
) -> None:
    control(None)
    begun(controller)
    provider.broken = "etcd: was killed by SIGKILL"
    controller.end()
    assert provider.calls == ["create 1.35", "logs", "delete"]


def test_a_report_that_cannot_be_written_takes_nothing_from_the_verdicts(
    controller: Controller,
    provider: FakeProvider,
    control: Callable[[str | None], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(_: object) -> None:
        raise KeyError("template")

    monkeypatch.setattr("conformance.controller.write_reports", fail)
    control(None)
    begun(controller)
    for cell in controller.checked.plan.cells:
        controller.record(not_run(cell, "").model_copy(update={"outcome": Outcome.AS_CLAIMED}))
    assert controller.finish() == ExitCode.INFRASTRUCTURE
    controller.end()
    assert provider.calls == ["create 1.35", "delete"]
    said = capsys.readouterr()
    assert "1 cell: 1 as-claimed" in said.out
    assert "the reports could not be written: KeyError('template')" in said.err


def test_a_run_whose_folder_cannot_be_written_still_deletes_its_clusters(
    controller: Controller,
    provider: FakeProvider,
    control: Callable[[str | None], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    control(None)
    begun(controller)
    monkeypatch.setattr("conformance.artifacts.RunFolder.append_result", fail)
    for cell in controller.checked.plan.cells:
        controller.record(not_run(cell, "").model_copy(update={"outcome": Outcome.AS_CLAIMED}))
    assert controller.finish() == ExitCode.INFRASTRUCTURE
    controller.end()
    assert provider.calls == ["create 1.35", "delete"]
    assert "its result cannot be written: [Errno 28] No space left on device" in capsys.readouterr().err


def test_an_interrupt_during_creation_still_deletes_and_fills_the_results(
    controller: Controller, provider: FakeProvider, control: Callable[[str | None], None]
) -> None:
    control(None)
    provider.hangs = True
    controller.begin()
    assert provider.begun.wait(10)
    controller.interrupted = True
    controller.end()
    assert provider.calls == ["create 1.35", "delete"]
    assert controller.exit_code == ExitCode.INTERRUPTED
    results = lines(controller)
    assert len(results) == len(list(controller.checked.plan))
    assert {result.outcome for result in results.values()} == {Outcome.NOT_RUN}


def test_kept_clusters_are_not_deleted_nor_left_to_the_janitor(
    provider: FakeProvider, control: Callable[[str | None], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[str] = []
    monkeypatch.setattr("clusters.ledger.keep", lambda provider, _: kept.append(provider))
    control(None)
    request = Request(psa=("baseline",), builder=("rootless-unset",), keep=True, run_dir=tmp_path / "runs")
    controller = Controller(preflight.check(request))
    begun(controller)
    controller.end()
    assert provider.calls == ["create 1.35"]
    assert kept == ["embedded"]


def test_a_cell_without_a_result_becomes_not_run_and_a_second_result_is_not_written(
    controller: Controller, control: Callable[[str | None], None]
) -> None:
    control(None)
    begun(controller)
    cell = controller.checked.plan.cells[0].id
    controller.record_broken(cell, "Traceback ...\nValueError: oops")
    controller.record_not_run(cell, "later")
    assert controller.finish() == ExitCode.NOTHING_RAN
    result = lines(controller)[cell]
    assert "ValueError: oops" in result.reason
    controller.end()


def test_the_run_records_its_provenance(controller: Controller, control: Callable[[str | None], None]) -> None:
    control(None)
    begun(controller)
    controller.finish()
    folder = controller._folder
    assert folder is not None
    run = folder.read_run()
    assert run.started
    assert run.ended
    assert run.chart.name == "build-sidecar"
    assert run.clusters[0].images
    assert (folder.path / "matrix.md").exists()
    assert (folder.path / "report.json").exists()


def test_a_cluster_is_deleted_as_soon_as_no_cell_needs_it_and_makes_room_for_the_next(
    provider: FakeProvider,
    control: Callable[[str | None], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("conformance.standing.os.cpu_count", lambda: 1)
    control(None)
    nodes = ("default", "seccomp-default")
    request = Request(node=nodes, psa=("baseline",), builder=("rootless-unset",), run_dir=tmp_path / "runs")
    controller = Controller(preflight.check(request))
    handed = controller.begin()
    for cell in handed.cells:
        assert handed.of(cell).cluster is not None
        controller.record(not_run(cell, "").model_copy(update={"outcome": Outcome.AS_CLAIMED}))
    assert controller.finish() == ExitCode.AS_CLAIMED
    controller.end()
    assert provider.calls == ["create 1.35", "delete", "create 1.35", "delete"]
    assert provider.most == 1


def test_a_kind_of_node_that_cannot_be_here_is_not_run_and_says_why(
    provider: FakeProvider, control: Callable[[str | None], None], tmp_path: Path
) -> None:
    control(None)
    request = Request(node=("apparmor",), psa=("baseline",), builder=("rootless-unset",), run_dir=tmp_path / "runs")
    controller = Controller(preflight.check(request))
    cluster = begun(controller)
    assert cluster.why_not(controller.checked.plan.cells[0]) == "no AppArmor"
    controller.end()
    assert provider.calls == []
    assert {result.reason for result in lines(controller).values()} == {"no AppArmor", "the run ended before it"}


def test_a_fault_of_the_harness_while_a_cluster_is_made_is_told_to_the_workers_and_the_cluster_goes(
    controller: Controller, provider: FakeProvider, control: Callable[[str | None], None]
) -> None:
    control(None)
    provider.fails = ZeroDivisionError("oops")
    assert begun(controller).failure == "the harness failed: ZeroDivisionError('oops')"
    assert controller.finish() == ExitCode.INFRASTRUCTURE
    controller.end()
    assert provider.calls == ["create 1.35", "delete"]


def test_a_cluster_that_fails_does_not_stop_the_one_beside_it(
    provider: FakeProvider, control: Callable[[str | None], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    control(None)
    failing = FakeProvider(tmp_path)
    failing.fails = ClusterFailedError("c", "start etcd", "it died")
    both = {"embedded": provider, "kind": failing}
    monkeypatch.setattr(providers, "PROVIDERS", both)
    monkeypatch.setattr(preflight, "PROVIDERS", both)
    request = Request(
        cluster=("embedded", "kind"), psa=("baseline",), builder=("rootless-unset",), run_dir=tmp_path / "runs"
    )
    controller = Controller(preflight.check(request))
    handed = controller.begin()
    for cell in handed.cells:
        why = handed.of(cell).why_not(cell)
        outcome = Outcome.AS_CLAIMED if why is None else Outcome.NOT_RUN
        controller.record(not_run(cell, why or "").model_copy(update={"outcome": outcome}))
    assert controller.finish() == ExitCode.INFRASTRUCTURE
    controller.end()
    seen = {name: (each.outcome, each.reason) for name, each in lines(controller).items()}
    assert seen["embedded-1.35-baseline-rootless-unset"] == (Outcome.AS_CLAIMED, "")
    outcome, reason = seen["kind-1.35-baseline-rootless-unset"]
    assert outcome is Outcome.NOT_RUN
    assert reason.startswith("cluster failed: ")
    assert "it died" in reason
    assert list((tmp_path / "runs").rglob("clusters/*kind*/component.log"))
    assert provider.calls == ["create 1.35", "delete"]


def test_what_a_provider_still_has_of_a_run_after_its_deletion_ends_it_with_2(
    controller: Controller,
    provider: FakeProvider,
    control: Callable[[str | None], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    control(None)
    handed = controller.begin()
    for cell in handed.cells:
        assert handed.of(cell).cluster is not None
        controller.record(not_run(cell, "").model_copy(update={"outcome": Outcome.AS_CLAIMED}))
    assert controller.finish() == ExitCode.AS_CLAIMED
    lease = Lease(provider="embedded", name="left", run_id=handed.shared.run_id, created=0, pid=1, pid_started=0)
    monkeypatch.setattr(provider, "list_leases", lambda: (lease,))
    controller.end()
    assert controller.exit_code == ExitCode.INFRASTRUCTURE
    assert "left by this run: embedded cluster left" in capsys.readouterr().err


def test_a_control_cell_that_breaks_the_harness_gives_its_cluster_up(
    controller: Controller, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Result:
        raise KeyError("adapter")

    monkeypatch.setattr(lifecycle, "run_cell", fail)
    assert begun(controller).failure == "the harness failed: KeyError('adapter')"
    deadline = waiting.until(lambda: "delete" in provider.calls, limit=10, what="the cluster to be given up")
    assert deadline
    assert controller.finish() == ExitCode.INFRASTRUCTURE
    controller.end()


def test_what_cannot_be_here_is_not_prepared_for(provider: FakeProvider) -> None:
    request = Request(node=("default", "apparmor"), psa=("baseline",), builder=("rootless-unset",))
    said = Console(file=io.StringIO(), width=200)
    prepared: list[str] = []
    provider.prepare = lambda spec, _: prepared.append(spec.name)  # type: ignore[attr-defined]
    prepare(preflight.check(request).plan, said)
    assert isinstance(said.file, io.StringIO)
    assert "embedded-1.35-apparmor cannot be here: no AppArmor" in said.file.getvalue()
    assert prepared == ["preparation-embedded-1-35"]


def test_an_adapter_without_a_chart_is_refused() -> None:
    with pytest.raises(UsageError, match="name it with --chart"):
        preflight.check(Request(adapter="radius", psa=("baseline",), builder=("rootless-unset",)))
