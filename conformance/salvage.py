"""What is still known of a cell when its cluster dies under it, or when nothing can be written any more."""

from __future__ import annotations

from functools import partial

from clusters.provider import Cluster
from conformance.errors import WaitError
from conformance.health import why_broken
from conformance.model import Observation, Source, SourceKind, Stage, StageReport, StageStatus
from conformance.observe import Known
from conformance.stages import CellRun
from conformance.waiting import poll


def failed_before(detail: str) -> tuple[StageReport, ...]:
    """Return the reports of a cell whose objects never came to be."""
    first, *rest = Stage
    return (
        StageReport(stage=first, status=StageStatus.FAILED, seconds=0, detail=detail),
        *(StageReport(stage=each, status=StageStatus.NOT_RUN, seconds=0, detail="not installed") for each in rest),
    )


def _failed_at_last(stages: tuple[StageReport, ...], detail: str) -> tuple[StageReport, ...]:
    """Return the reports with one that failed: what cannot be looked at or kept has not passed."""
    if any(each.status is StageStatus.FAILED for each in stages):
        return stages
    last = {"status": StageStatus.FAILED, "detail": detail}
    return (*stages[:-1], stages[-1].model_copy(update=last)) if stages else failed_before(detail)


def broken_off(cell_run: CellRun, known: Known, stages: tuple[StageReport, ...], error: str) -> Observation:
    """Return what is known of a cell at which the API server stopped answering."""
    source = Source(file="api/observation.txt", kind=SourceKind.API, text=f"{error}\n")
    return Observation(
        cell=cell_run.cell.id,
        stages=_failed_at_last(stages, error),
        prediction=known.prediction,
        rendered_pod=known.rendered_pod,
        sources=(*cell_run.sources, source),
        node_facts=known.node_facts,
        connection=cell_run.connection,
        versions=known.versions,
        builder_container=cell_run.builder_container,
    )


def with_cluster(seen: Observation, cluster: Cluster, *, notice: float) -> Observation:
    """Add that the cluster broke to what was seen of a cell that failed: nothing else that failed then counts."""
    if seen.failed_stage is None:
        return seen
    # A server that does not answer may have died a moment ago: its provider is given time to notice.
    silent = any(source.kind is SourceKind.API and source.file.startswith("api/") for source in seen.sources)
    why = _why_broken(cluster, within=notice if silent else 0)
    if why is None:
        return seen
    source = Source(file="cluster.txt", kind=SourceKind.PROVIDER, text=f"the cluster broke while the cell ran: {why}\n")
    return seen.model_copy(update={"sources": (source, *seen.sources)})


def unwritten(seen: Observation, error: OSError) -> Observation:
    """Return what was seen of a cell and cannot be written: it proves nothing, so the cell has failed."""
    said = f"what was seen of the cell could not be written: {error}"
    source = Source(file="harness.txt", kind=SourceKind.PROVIDER, text=f"{said}\n")
    update = {"stages": _failed_at_last(seen.stages, said), "sources": (source, *seen.sources)}
    return seen.model_copy(update=update)


def _why_broken(cluster: Cluster, *, within: float = 0) -> str | None:
    look = partial(why_broken, cluster.provider, cluster.name)
    try:
        return poll(look, within=within, what="a component's death")
    except WaitError:
        return None
