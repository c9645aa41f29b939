"""A cell under way on a scripted cluster."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from clusters.provider import Capability, Cluster, ImageRole, Provenance
from conformance import fixtures
from conformance.kube import Kube
from conformance.model import Builder, Cell, Level, PsaLevel
from conformance.stages import CellRun
from conformance.tools import driver_of
from tests.conformance.stages.scripted import PATIENCE, FakeKube


@pytest.fixture
def kube() -> FakeKube:
    return FakeKube()


@pytest.fixture
def cell_run(kube: FakeKube) -> CellRun:
    builder = Builder(name="b", summary="s", origin="o", image=ImageRole.BUILDKIT_ROOTLESS)
    level = Level(psa=PsaLevel.BASELINE)
    cluster = Cluster(
        name="c",
        provider="embedded",
        run_id="r",
        kubeconfig=Path("/nowhere"),
        kubernetes="1.35",
        provenance=Provenance.GENUINE,
        capabilities=frozenset(Capability),
        images={},
    )
    addresses = fixtures.addresses()
    return CellRun(
        cell=Cell(id="x", provider="embedded", kubernetes="1.35", level=level, builder=builder),
        driver=driver_of(builder),
        cluster=cluster,
        kube=cast("Kube", kube),
        fixtures=addresses,
        namespace="ns",
        release="conformance",
        builder_container="buildkitd",
        client_container="app",
        timeouts=PATIENCE,
        git_context=addresses.git_context,
    )
