"""Runs that never ran: as many cells as are asked for, with every outcome, for tests and measurements of reports."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, product
from pathlib import Path
from typing import Any, Final

from clusters.provider import ImageRole, Provenance
from conformance.artifacts import RunFolder
from conformance.classify import CLASSES
from conformance.model import (
    Builder,
    Cell,
    ClusterRecord,
    Evidence,
    Level,
    NodeFacts,
    Observation,
    Outcome,
    Result,
    Role,
    Run,
    Source,
    SourceKind,
    Stage,
    StageReport,
    StageStatus,
    VerdictKind,
)

_LINES: Final = ("1.33", "1.34", "1.35", "1.36")
_LEVELS: Final = tuple(
    f"{psa}@v1.{minor}" for psa in ("privileged", "baseline", "restricted") for minor in range(20, 37)
)
_REFUSALS: Final = tuple(name for name, each in CLASSES.items() if each.kind is VerdictKind.UNSUPPORTED)
#: How cells end, by turns: mostly as claimed, and each of the others now and then.
_OUTCOMES: Final = (*[Outcome.AS_CLAIMED] * 40, *Outcome)
_LOG: Final = "".join(f"line {number}: nothing to see\n" for number in range(1, 120))
_CITED: Final = 60


def write(base: Path, cells: int, *, observed_every: int = 1) -> RunFolder:
    """Write a run of so many cells; every so manieth has an observation and a log. Returns its folder."""
    folder = RunFolder.create(base)
    plan = [*_controls(), *islice(_cells(max(1, -(-cells // (len(_LINES) * len(_LEVELS))))), cells)]
    results = [_result(cell, number) for number, cell in enumerate(plan)]
    folder.write_plan(plan)
    folder.write_run(_run(folder.run_id))
    lines = (result.model_dump_json(by_alias=True) + "\n" for result in results)
    (folder.path / "results.jsonl").write_text("".join(lines), encoding="utf-8")
    for number, (cell, result) in enumerate(zip(plan, results, strict=True)):
        if number % observed_every == 0:
            _observe(folder, cell, result)
    return folder


def _cells(builders: int) -> Iterator[Cell]:
    for number, level, line in product(range(builders), _LEVELS, _LINES):
        yield _cell(line, Level.parse(level), f"builder-{number:03}")


def _controls() -> Iterator[Cell]:
    for line in _LINES:
        yield _cell(line, Level.parse("privileged"), "permissive", Role.CONTROL)


def _cell(line: str, level: Level, name: str, role: Role = Role.SELECTED) -> Cell:
    builder = Builder(
        name=name, summary="A shape that was made up.", origin="nowhere", image=ImageRole.BUILDKIT_ROOTLESS
    )
    return Cell(
        id=f"synthetic-{line}-{level.slug}-{name}",
        provider="synthetic",
        kubernetes=line,
        level=level,
        builder=builder,
        role=role,
    )


def _result(cell: Cell, number: int) -> Result:
    outcome = Outcome.AS_CLAIMED if cell.role is Role.CONTROL else _OUTCOMES[number % len(_OUTCOMES)]
    refusal = _REFUSALS[number % len(_REFUSALS)]
    builds = cell.role is Role.CONTROL or outcome is Outcome.UNEXPECTED_SUPPORT or number % 3 == 0
    builds = builds and outcome not in {Outcome.UNEXPECTED_FAILURE, Outcome.WRONG_CLASS, Outcome.INCONCLUSIVE}
    ran = outcome is not Outcome.NOT_RUN
    claims = {
        Outcome.AS_CLAIMED: "supported" if builds else refusal,
        Outcome.UNEXPECTED_FAILURE: "supported",
        Outcome.UNCLAIMED: None,
    }
    failed: dict[str, Any] = {
        "class": refusal,
        "kind": CLASSES[refusal].kind,
        "layer": CLASSES[refusal].layer,
        "stage": Stage.READY,
        "evidence": (Evidence(file="logs/builder.log", line=_CITED, text=f"line {_CITED}: nothing to see"),),
    }
    values: dict[str, Any] = {
        "cell": cell.id,
        "cluster": cell.cluster,
        "kubernetes": cell.kubernetes,
        "level": str(cell.level),
        "builder": cell.builder.name,
        "role": cell.role,
        "provenance": Provenance.SIMULATED,
        "outcome": outcome,
        "claim": claims.get(outcome, _REFUSALS[(number + 1) % len(_REFUSALS)]),
        "claim_source": "made up",
        "reason": "" if ran else "never meant to run",
        "seconds": number % 17 if ran else 0,
        "stages": _stages(passed=builds) if ran else (),
    }
    return Result.model_validate(values | (failed if ran and not builds else {}))


def _stages(*, passed: bool) -> tuple[StageReport, ...]:
    broken = len(Stage) if passed else list(Stage).index(Stage.READY)
    ended = [StageStatus.PASSED] * broken + [StageStatus.FAILED] + [StageStatus.NOT_RUN] * len(Stage)
    return tuple(
        StageReport(stage=stage, status=status, seconds=0.5, detail="made up")
        for stage, status in zip(Stage, ended, strict=False)
    )


def _observe(folder: RunFolder, cell: Cell, result: Result) -> None:
    asked = {"name": "buildkitd", "image": "builder:1", "securityContext": {"runAsUser": 1000}}
    got = asked | {"terminationMessagePath": "/dev/termination-log", "resources": {}}
    observation = Observation(
        cell=cell.id,
        stages=result.stages,
        rendered_pod={"spec": {"hostUsers": False, "containers": [asked]}},
        admitted_pod={"spec": {"containers": [got], "nodeName": "node", "restartPolicy": "Always"}},
        sources=(Source(file="logs/builder.log", kind=SourceKind.DAEMON, text=_LOG),),
        node_facts=_node(),
    )
    path = folder.cell(cell.id)
    (path / "logs").mkdir(parents=True)
    (path / "logs" / "builder.log").write_text(_LOG, encoding="utf-8")
    (path / "observation.json").write_text(observation.model_dump_json(), encoding="utf-8")


def _node() -> NodeFacts:
    return NodeFacts(
        kernel="6.12.0", cgroup_version=2, apparmor=True, lsms=("lockdown", "apparmor"), seccomp_default=False
    )


def _run(run_id: str) -> Run:
    records = [
        ClusterRecord(
            cluster=f"synthetic-{line}",
            provider="synthetic",
            kubernetes=line,
            version=f"v{line}.0",
            provenance=Provenance.SIMULATED,
            node=_node(),
        )
        for line in _LINES
    ]
    return Run(
        run_id=run_id,
        started="2026-11-21T04:12:00Z",
        ended="2026-11-21T05:12:00Z",
        argv=("conformance", "run", "--matrix", "big"),
        matrix="big",
        harness="0.1.0",
        clusters=tuple(records),
    )
