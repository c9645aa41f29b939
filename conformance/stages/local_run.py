"""A build that starts a process: the step that tells builders apart."""

from __future__ import annotations

from conformance.model import Stage
from conformance.stages.build import build
from conformance.stages.context import CellRun, StageFailedError, Step
from conformance.tools import Build

_SAYS = "a step ran as uid"
_DOCKERFILE = (
    f'FROM scratch\nCOPY busybox /bin/busybox\nRUN ["/bin/busybox", "sh", "-c", "echo {_SAYS} $(/bin/busybox id -u)"]\n'
)


def run(cell_run: CellRun) -> str:
    """Build `FROM scratch` with a static program and RUN it."""
    output = build(cell_run, Stage.LOCAL_RUN, Build(), prepare=cell_run.driver.context(_DOCKERFILE))
    if f"{_SAYS} 0" not in output:
        raise StageFailedError("the build ended well, but its RUN step left no trace in the output")
    return "FROM scratch, COPY and RUN"


STEP = Step(stage=Stage.LOCAL_RUN, summary="a RUN step starts a process and ends well", run=run)
