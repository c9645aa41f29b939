"""Runs to be published, for tests."""

from __future__ import annotations

from pathlib import Path

from conformance.artifacts import RunFolder
from conformance.model import (
    Cell,
    ChartRecord,
    ClusterRecord,
    NodeFacts,
    Observation,
    Result,
    Run,
    Source,
    SourceKind,
    Stage,
    StageReport,
    StageStatus,
)
from tests.conformance.records import cell, control, failure, result

CHART = ChartRecord(name="build-sidecar", version="0.1.0", digest="d")
NODE = NodeFacts(kernel="6.18", seccomp_default=False, apparmor=False)
LOG = "one\ntwo\nfork/exec: operation not permitted\nfour\nfive\nsix\nseven\n"
UNSET, STRICT = cell(), cell("rootless-restricted")


def refused(of: Cell, **changes: object) -> Result:
    found = failure()
    values = {"class_": found.class_, "layer": found.layer, "kind": found.kind, "evidence": found.evidence}
    return result(of, **(values | changes))


def ran(base: Path, day: str, *results: tuple[Cell, Result], **changes: object) -> RunFolder:
    base.mkdir(parents=True, exist_ok=True)
    folder = RunFolder(base / f"{day.replace('-', '')}-0412-{len(list(base.iterdir())):04}")
    folder.path.mkdir()
    folder.write_plan([control(), *(of for of, _ in results)])
    clusters = {of.cluster: of for of, _ in results}
    values = {
        "run_id": folder.run_id,
        "started": f"{day}T04:12:00Z",
        "ended": f"{day}T05:00:00Z",
        "chart": CHART,
        "argv": ("conformance", "run", "--psa=baseline"),
        "git_commit": "abc123",
        "clusters": tuple(
            ClusterRecord(
                cluster=name, provider=of.provider, kubernetes=of.kubernetes, version=f"v{of.kubernetes}.4", node=NODE
            )
            for name, of in clusters.items()
        ),
    }
    folder.write_run(Run.model_validate(values | changes))
    for of, line in results:
        folder.append_result(line)
        folder.write_observation(
            of.id,
            Observation(
                cell=of.id,
                stages=(StageReport(stage=Stage.START, status=StageStatus.FAILED, seconds=1),),
                sources=(Source(file="logs/buildkitd.log", kind=SourceKind.DAEMON, text=LOG),),
                node_facts=NODE,
            ),
        )
    return folder
