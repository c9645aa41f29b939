"""A cell whose cluster fails it: what is kept, and that nothing is tried in vain."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Self, cast

import pytest

from clusters.paths import CHECKOUT
from clusters.provider import Capability, Cluster, Image, ImageRole, Provenance
from conformance import cells, chart, salvage
from conformance.artifacts import RunFolder
from conformance.cells import Bench, bench_of, run_cell
from conformance.errors import ApiError
from conformance.handover import ClusterHandover, Shared
from conformance.judge import ControlVerdict
from conformance.kube import Answer, Json, Kube
from conformance.model import (
    Cell,
    NodeFacts,
    Observation,
    Outcome,
    Result,
    Stage,
    StageReport,
    StageStatus,
    Topology,
    VerdictKind,
    Versions,
)
from conformance.options import Request
from conformance.preflight import REFERENCE_CHARTS
from conformance.waiting import Timeouts
from tests.conformance import records

GONE = ApiError("the API server did not answer: Connection refused. Is the cluster still up?")


class Unreachable:
    """An API server that is not there."""

    def __init__(self) -> None:
        self.tries = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def create_namespace(self, _: Json) -> Answer:
        self.tries += 1
        raise GONE

    def delete_namespace(self, _: str) -> None:
        raise GONE


@pytest.fixture
def kube(monkeypatch: pytest.MonkeyPatch) -> Unreachable:
    made = Unreachable()
    monkeypatch.setattr(Bench, "kube", lambda *_: cast("Kube", made))
    return made


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    images = {role: Image(role=role, reference=f"localhost/{role}", digest="d", origin="o") for role in ImageRole}
    info = chart.load(str(REFERENCE_CHARTS / "build-sidecar"))
    return Bench(
        run_id="r",
        cluster=Cluster(
            name="c",
            provider="embedded",
            run_id="r",
            kubeconfig=tmp_path / "kubeconfig",
            kubernetes="1.35",
            provenance=Provenance.GENUINE,
            capabilities=frozenset(Capability),
            images=images,
        ),
        folder=RunFolder.create(tmp_path / "runs"),
        chart=info,
        adapter=chart.adapter_for(info),
        claims=(records.claim(),),
        node_facts=NodeFacts(),
        versions=Versions(),
        control=ControlVerdict(builds=True),
        git_context="",
        keep=False,
        timeouts=Timeouts(notice=0.5),
    )


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Callable[[str | None], None]:
    def say(why: str | None) -> None:
        for module in (cells, salvage):
            monkeypatch.setattr(module, "why_broken", lambda *_: why)

    return say


def assert_infrastructure(result: Result, class_: str) -> None:
    assert (result.outcome, result.class_, result.kind) == (Outcome.INCONCLUSIVE, class_, VerdictKind.INFRASTRUCTURE)


CELL: Cell = records.cell()


def test_a_cell_whose_api_server_does_not_answer_is_tried_twice_and_both_tries_are_kept(
    kube: Unreachable, bench: Bench, broken: Callable[[str | None], None]
) -> None:
    broken(None)
    result = run_cell(CELL, bench)
    assert_infrastructure(result, "api-server-unreachable")
    assert result.tries == ("api-server-unreachable",)
    assert kube.tries == 2
    for number in (1, 2):
        assert (bench.folder.cell(CELL.id) / "tries" / str(number) / "observation.json").exists()


def test_a_cell_of_a_cluster_that_died_is_not_tried_again_and_names_what_died(
    kube: Unreachable, bench: Bench, broken: Callable[[str | None], None]
) -> None:
    broken("kube-apiserver: was killed by SIGKILL")
    result = run_cell(CELL, bench)
    assert_infrastructure(result, "api-server-unreachable")
    assert result.evidence[0].text.endswith("kube-apiserver: was killed by SIGKILL")
    assert (kube.tries, result.tries) == (1, ())


@pytest.mark.usefixtures("kube")
def test_a_death_that_is_noticed_a_moment_later_is_named_all_the_same(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = iter([None, None, "etcd: was killed by SIGKILL"])
    monkeypatch.setattr(salvage, "why_broken", lambda *_: next(said, "etcd: was killed by SIGKILL"))
    result = run_cell(CELL, bench)
    assert_infrastructure(result, "api-server-unreachable")
    assert result.evidence[0].text.endswith("etcd: was killed by SIGKILL")
    assert result.tries == ()


@pytest.mark.usefixtures("kube")
def test_a_full_disk_under_the_cluster_is_called_that(bench: Bench, broken: Callable[[str | None], None]) -> None:
    broken("the disk is full: no space left on device at /state/clusters/c")
    assert_infrastructure(run_cell(CELL, bench), "disk-full")


@pytest.mark.usefixtures("kube")
def test_a_cell_that_cannot_be_written_down_proves_nothing(
    bench: Bench, broken: Callable[[str | None], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    broken(None)
    passed = (StageReport(stage=Stage.RUN_IMAGE, status=StageStatus.PASSED, seconds=0),)
    monkeypatch.setattr(cells, "_try", lambda *_, **__: Observation(cell=CELL.id, stages=passed))
    assert run_cell(CELL, bench).outcome is Outcome.AS_CLAIMED
    monkeypatch.setattr(RunFolder, "write_observation", fail)
    assert_infrastructure(run_cell(CELL, bench), "disk-full")


@pytest.mark.usefixtures("kube")
def test_whatever_dies_in_the_cluster_says_nothing_of_the_builder(
    bench: Bench, broken: Callable[[str | None], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Unreachable, "create_namespace", lambda *_: (_ for _ in ()).throw(ApiError("no", status=500)))
    broken("containerd: ended with exit code 2")
    assert_infrastructure(run_cell(CELL, bench), "cluster-component-died")


def test_an_adapter_that_is_named_is_for_the_chart_that_is_named_alone(bench: Bench, tmp_path: Path) -> None:
    imitation = CHECKOUT / "tests" / "data" / "charts" / "radius-like"
    folder = RunFolder.create(tmp_path / "runs")
    folder.write_plan(())
    shared = Shared(
        run_id="r",
        folder=folder.path,
        request=Request(chart=str(imitation), adapter="radius"),
        charts={
            Topology.SIDECAR: chart.load(str(imitation)),
            Topology.ONE_SHOT: chart.load(str(REFERENCE_CHARTS / "build-one-shot")),
        },
        claims=(),
        helm="3",
        git_commit="",
    )
    sidecar = records.cell()
    handover = ClusterHandover(key=sidecar.key, cluster=bench.cluster)
    one_shot = sidecar.model_copy(update={"builder": records.builder(topology=Topology.ONE_SHOT)})
    assert bench_of(sidecar, shared, handover).adapter is chart.ADAPTERS["radius"]
    assert bench_of(one_shot, shared, handover).adapter is chart.ADAPTERS["build-one-shot"]
