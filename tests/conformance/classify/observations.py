"""Observations for tests, each with only what the test says different from a plain one."""

from __future__ import annotations

from conformance.model import (
    ContainerStatus,
    ContainerTermination,
    Observation,
    PodStatus,
    Source,
    SourceKind,
    Stage,
    StageReport,
    StageStatus,
)

BUILDER = "buildkitd"


def stages(until: Stage | None = None) -> tuple[StageReport, ...]:
    """Return reports of stages that passed up to `until`, which failed; all passed where it is None."""
    reports = []
    for stage in Stage:
        status = StageStatus.FAILED if stage is until else StageStatus.PASSED
        reports.append(StageReport(stage=stage, status=status, seconds=1.0))
        if stage is until:
            break
    return tuple(reports)


def source(text: str, kind: SourceKind = SourceKind.DAEMON, file: str = "", stage: Stage | None = None) -> Source:
    return Source(file=file or f"{kind.value}.txt", kind=kind, text=text, stage=stage)


def container(name: str = BUILDER, **changes: object) -> ContainerStatus:
    return ContainerStatus.model_validate({"name": name, "state": "running"} | changes)


def ended(code: int, reason: str = "Error", message: str = "") -> ContainerTermination:
    return ContainerTermination(exit_code=code, reason=reason, message=message)


def pod(*containers: ContainerStatus, **changes: object) -> PodStatus:
    return PodStatus.model_validate({"name": "p", "phase": "Running", "containers": containers} | changes)


def observation(failed: Stage | None = Stage.READY, *sources: Source, **changes: object) -> Observation:
    values = {"cell": "c", "stages": stages(failed), "sources": sources}
    return Observation.model_validate(values | changes)
