"""The controlling process: what is created is deleted, what was planned has a result, whatever goes wrong."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from clusters import providers
from clusters.errors import ClusterFailedError
from clusters.provider import Capability, Cluster, ClusterSpec, Image, ImageRole, Lease, Progress, Provenance
from conformance import chart, lifecycle, preflight
from conformance.cells import Bench
from conformance.controller import Controller
from conformance.errors import ExitCode
from conformance.handover import ClusterHandover
from conformance.judge import not_run
from conformance.model import Cell, Outcome, Result, VerdictKind
from conformance.options import Request


class FakeProvider:
    """A provider at its seam: remembers what it was told, fails where it is told to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls: list[str] = []
        self.fails: BaseException | None = None
        self.broken: str | None = None

    def why_unavailable(self) -> str | None:
        return None

    def create(self, spec: ClusterSpec, progress: Progress) -> Cluster:
        self.calls.append(f"create {spec.kubernetes}")
        progress("creating")
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
        self.calls.append("delete")

    def collect_logs(self, name: str, into: Path) -> None:
        self.calls.append("logs")
        (into / "component.log").write_text(name)

    def why_broken(self, name: str) -> str | None:
        assert name
        return self.broken

    def list_leases(self) -> tuple[Lease, ...]:
        return ()


@pytest.fixture
def provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeProvider:
    fake = FakeProvider(tmp_path)
    monkeypatch.setattr(providers, "PROVIDERS", {"embedded": fake})
    monkeypatch.setattr(preflight, "PROVIDERS", {"embedded": fake})
    monkeypatch.setattr(chart, "helm_version", lambda: "3.0.0")

    def furnish(_: object, title: str, cluster: Cluster, *, seconds: float) -> ClusterHandover:
        return ClusterHandover(name=title, cluster=cluster, seconds=seconds)

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


def lines(controller: Controller) -> dict[str, Result]:
    folder = controller._folder
    assert folder is not None
    return {result.cell: result for result in folder.read_results()}


def test_a_run_creates_hands_over_and_deletes(
    controller: Controller, provider: FakeProvider, control: Callable[[str | None], None]
) -> None:
    control(None)
    handed = controller.begin()
    (cluster,) = handed.clusters
    assert cluster.control is not None
    assert cluster.control.builds
    assert [cell.id for cell in handed.cells] == ["embedded-1.35-baseline-rootless-unset"]
    controller.end()
    assert provider.calls == ["create 1.35", "delete"]


def test_a_control_that_cannot_build_is_handed_to_the_workers(
    controller: Controller, control: Callable[[str | None], None]
) -> None:
    control("disk-full")
    (cluster,) = controller.begin().clusters
    assert cluster.control is not None
    assert not cluster.control.builds
    assert cluster.control.reason == "disk-full"


def test_a_cluster_that_fails_leaves_logs_results_and_nothing_else(
    controller: Controller, provider: FakeProvider, control: Callable[[str | None], None], tmp_path: Path
) -> None:
    control(None)
    provider.fails = ClusterFailedError("c", "start etcd", "it died")
    handed = controller.begin()
    assert "it died" in handed.clusters[0].failure
    assert controller.finish() == ExitCode.INFRASTRUCTURE
    controller.end()
    assert provider.calls == ["create 1.35", "logs", "delete"]
    assert {result.outcome for result in lines(controller).values()} == {Outcome.NOT_RUN}
    assert list((tmp_path / "runs").rglob("component.log"))


def test_a_cluster_that_breaks_under_a_run_leaves_its_logs(
    controller: Controller, provider: FakeProvider, control: Callable[[str | None], None]
) -> None:
    control(None)
    controller.begin()
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
    controller.begin()
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
    controller.begin()
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
    provider.fails = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        controller.begin()
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
    controller.begin()
    controller.end()
    assert provider.calls == ["create 1.35"]
    assert kept == ["embedded"]


def test_a_cell_without_a_result_becomes_not_run_and_a_second_result_is_not_written(
    controller: Controller, control: Callable[[str | None], None]
) -> None:
    control(None)
    controller.begin()
    cell = controller.checked.plan.cells[0].id
    controller.record_broken(cell, "Traceback ...\nValueError: oops")
    controller.record_not_run(cell, "later")
    assert controller.finish() == ExitCode.NOTHING_RAN
    result = lines(controller)[cell]
    assert "ValueError: oops" in result.reason
    controller.end()


def test_the_run_records_its_provenance(controller: Controller, control: Callable[[str | None], None]) -> None:
    control(None)
    controller.begin()
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
