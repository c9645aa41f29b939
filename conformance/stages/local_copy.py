"""A build that only copies: no registry, no git, no process started."""

from __future__ import annotations

from conformance.model import Stage
from conformance.stages.build import build
from conformance.stages.context import CellRun, Step
from conformance.tools import Build

_DOCKERFILE = "FROM scratch\nCOPY busybox /bin/busybox\n"


def run(cell_run: CellRun) -> str:
    """Build `FROM scratch` with one COPY from a local context."""
    build(cell_run, Stage.LOCAL_COPY, Build(), prepare=cell_run.driver.context(_DOCKERFILE))
    return "FROM scratch and COPY"


STEP = Step(stage=Stage.LOCAL_COPY, summary="a local context is copied into a layer", run=run)
