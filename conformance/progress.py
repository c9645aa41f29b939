"""Where a run is right now: how far each cluster is, and at which stage each cell that runs.

Cells run in processes of their own, which can say something only at their end: until then, a file tells.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from conformance.artifacts import RunFolder
from conformance.model import Stage

#: In the run's folder, a file a running cell; nothing of it is left once the run has ended.
_FOLDER: Final = "progress"


class ClusterState(StrEnum):
    """How far a cluster of the run is."""

    #: Nothing has been created yet.
    WAITING = "waiting"
    CREATING = "creating"
    #: Up, but not yet shown to build.
    CONTROL = "control"
    READY = "ready"
    DELETING = "deleting"
    GONE = "gone"
    #: It never came up.
    FAILED = "failed"
    #: There can be none here.
    IMPOSSIBLE = "impossible"


@dataclass(frozen=True, kw_only=True, slots=True)
class Running:
    """A cell that runs."""

    stage: Stage
    #: When its present try began, in seconds since the epoch.
    since: float


def noting(folder: RunFolder, cell: str, began: Callable[[Stage], None]) -> Callable[[Stage], None]:
    """Return what notes each stage of a cell that begins, beside telling `began`; it never fails."""
    since = time.time()

    def note(stage: Stage) -> None:
        with suppress(OSError):
            folder.write_page(f"{_FOLDER}/{cell}", f"{since} {stage}")
        began(stage)

    return note


def forget(folder: RunFolder, cell: str) -> None:
    """Take note that a cell does not run any more."""
    with suppress(OSError):
        (folder.path / _FOLDER / cell).unlink()


def running(folder: RunFolder) -> dict[str, Running]:
    """Return the cells that run, by id, longest first; what is not whole or not ours is left out."""
    found: dict[str, Running] = {}
    with suppress(OSError):
        for path in (folder.path / _FOLDER).iterdir():
            with suppress(OSError, ValueError):
                since, _, stage = path.read_text(encoding="utf-8").partition(" ")
                found[path.name] = Running(stage=Stage(stage), since=float(since))
    return dict(sorted(found.items(), key=lambda each: (each[1].since, each[0])))


def clear(folder: RunFolder) -> None:
    """Take away what cells have noted, those of a killed process too."""
    shutil.rmtree(folder.path / _FOLDER, ignore_errors=True)
