"""How a cluster's steps are, written by its supervisor and read by whoever waits."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError


class Phase(StrEnum):
    """Where the cluster as a whole is."""

    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"


class State(StrEnum):
    """Where one step is."""

    WAITING = "waiting"
    STARTED = "started"
    READY = "ready"
    FAILED = "failed"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class StepStatus(_Frozen):
    """One step. Times are seconds since the supervisor began; `pid` is that of its own pid namespace."""

    name: str
    state: State
    pid: int | None = None
    started: float | None = None
    ready: float | None = None
    #: Exit code, negative for a signal; None while it runs.
    exit_code: int | None = None


class Failure(_Frozen):
    """Which step broke the cluster, and why, as a sentence without its log."""

    step: str
    reason: str


class Status(_Frozen):
    """The whole."""

    phase: Phase
    steps: tuple[StepStatus, ...] = ()
    failure: Failure | None = None


def write(path: Path, status: Status) -> None:
    """Replace the status file in one go, so that no reader ever sees half of it."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(status.model_dump_json(indent=1))
    fresh.replace(path)


def read(path: Path) -> Status | None:
    """Return what the supervisor last said, None when it has not said anything."""
    try:
        return Status.model_validate_json(path.read_text())
    except (FileNotFoundError, ValidationError):
        return None


def log_tail(logs: Path, step: str, lines: int = 15) -> str:
    """Return the end of a step's log, empty when there is none."""
    log = logs / f"{step}.log"
    if not log.is_file():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 64 * 1024))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
