"""How a stage runs a build in the client's container."""

from __future__ import annotations

from conformance.errors import ApiError
from conformance.model import SourceKind, Stage
from conformance.stages.context import CellRun, StageFailedError, has_died
from conformance.tools import Build
from conformance.waiting import Deadline

_LOOK_AT_DAEMON_EVERY_SECONDS = 1.0


def build(cell_run: CellRun, stage: Stage, wanted: Build, *, prepare: str = "") -> str:
    """Run one build and return its output; `prepare` are shell lines before it.

    The client is cut off as soon as the daemon has died: some clients wait long for an answer that cannot come.
    Raises StageFailedError when the build fails, ApiError when the connection breaks.
    """
    script = "\n".join(line for line in ("set -eu", prepare, cell_run.driver.script(wanted)) if line)
    next_look = Deadline(_LOOK_AT_DAEMON_EVERY_SECONDS)

    def daemon_died() -> bool:
        nonlocal next_look
        if not next_look.passed:
            return False
        next_look = Deadline(_LOOK_AT_DAEMON_EVERY_SECONDS)
        return has_died(cell_run.pod(), cell_run.builder_container)

    ran = cell_run.in_client([*cell_run.driver.shell, script], within=cell_run.timeouts.build, give_up=daemon_died)
    cell_run.note(f"build/{stage}.txt", SourceKind.BUILD, ran.output, stage=stage)
    if ran.ok:
        return ran.output
    if ran.broken:
        why = ran.broken.rstrip(".")
        raise ApiError(f"the API server did not answer to the end of the build: {why}. Is the cluster still up?")
    if ran.code is None and not has_died(cell_run.pod(), cell_run.builder_container):
        raise StageFailedError(f"the build did not end within {cell_run.timeouts.build:g} s")
    lines = [line for line in ran.output.splitlines() if line.strip()]
    raise StageFailedError(lines[-1][:500] if lines else f"the build ended with {ran.code} and said nothing")
