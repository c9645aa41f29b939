"""Collect everything there is to see of a cell, at the moment its stages have ended. No opinion here."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.errors import ApiError
from conformance.kube import Json
from conformance.model import (
    BuilderFacts,
    ContainerStatus,
    NodeFacts,
    Observation,
    PodStatus,
    Prediction,
    Source,
    SourceKind,
    Stage,
    StageReport,
    Versions,
)
from conformance.observe import objects
from conformance.observe.builder import builder_facts
from conformance.stages import ready
from conformance.stages.context import CellRun

__all__ = ["Known", "glance", "observe"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What is known of a cell before it is looked at."""

    prediction: Prediction | None
    rendered_pod: Json
    predicted_pod: Json
    node_facts: NodeFacts
    versions: Versions
    #: Why the labels of the cell's namespace decide nothing; empty: they are in force, or nobody had to ask.
    unenforced: str = ""


def glance(cell_run: CellRun) -> Observation:
    """Return what the builder's own state and logs say, quickly: enough to see whether waiting can still help."""
    pods = tuple(objects.pod_status(pod) for pod in cell_run.pods())
    sources = _logs(cell_run, pods, only=cell_run.builder_container)
    if cell_run.answer:
        sources.append(Source(file=ready.FILE, kind=SourceKind.BUILD, stage=Stage.READY, text=cell_run.answer))
    return Observation(
        cell=cell_run.cell.id,
        stages=(),
        pods=pods,
        sources=tuple(sources),
        connection=cell_run.connection,
        builder_container=cell_run.builder_container,
    )


def observe(cell_run: CellRun, stages: tuple[StageReport, ...], known: Known) -> Observation:
    """Return everything seen. Raises ApiError only when the API server does not answer at all."""
    namespace = cell_run.namespace
    raw_pods = cell_run.pods()
    # A client in another namespace is part of the cell; its pods come last.
    places = (namespace, *((cell_run.client_namespace,) if cell_run.client_namespace else ()))
    pods = tuple(objects.pod_status(pod) for place in places for pod in cell_run.kube.pods(place))
    found = (
        *objects.conditions("Deployment", cell_run.kube.deployments(namespace)),
        *objects.conditions("ReplicaSet", cell_run.kube.replica_sets(namespace)),
        *objects.conditions("Pod", raw_pods),
    )
    said = (objects.event(raw) for place in places for raw in cell_run.kube.events(place))
    events = tuple(sorted(said, key=lambda e: e.last_seen))
    admitted = _without_managed_fields(raw_pods[-1]) if raw_pods else {}
    release_pods = tuple(pod for pod in pods if pod.name in {raw["metadata"]["name"] for raw in raw_pods})
    sources = [
        *cell_run.sources,
        Source(
            file="events.txt", kind=SourceKind.EVENT, text="".join(f"{objects.event_line(seen)}\n" for seen in events)
        ),
        Source(file="status.txt", kind=SourceKind.STATUS, text=objects.status_lines(pods, found)),
        *_logs(cell_run, release_pods),
    ]
    if known.prediction is not None and not known.prediction.admitted:
        sources.append(Source(file="prediction.txt", kind=SourceKind.API, text=f"{known.prediction.message}\n"))
    return Observation(
        cell=cell_run.cell.id,
        stages=stages,
        prediction=known.prediction,
        rendered_pod=known.rendered_pod,
        admitted_pod=admitted,
        pods=pods,
        conditions=found,
        events=events,
        sources=tuple(sources),
        builder_facts=_facts(cell_run, admitted, pods),
        node_facts=known.node_facts,
        connection=cell_run.connection,
        versions=known.versions,
        builder_container=cell_run.builder_container,
        unenforced=known.unenforced,
    )


def _facts(cell_run: CellRun, admitted: Json, pods: tuple[PodStatus, ...]) -> BuilderFacts:
    """Read the facts unless the builder never came so far that a twin would."""
    builder = next((c for pod in pods for c in pod.containers if c.name == cell_run.builder_container), None)
    reached = builder is not None and (builder.state == "running" or builder.terminated or builder.last_terminated)
    return builder_facts(cell_run, admitted) if reached else BuilderFacts()


def _logs(cell_run: CellRun, pods: tuple[PodStatus, ...], only: str = "") -> list[Source]:
    """Return the log of every container and of its previous life."""
    sources = []
    for number, pod in enumerate(pods):
        prefix = "logs" if number == 0 else f"logs/{pod.name}"
        for container in pod.containers:
            if only and container.name != only:
                continue
            for suffix, previous in (("", False), (".previous", True)):
                if previous and container.restarts == 0:
                    continue
                text = _log(cell_run, pod, container, previous=previous)
                if text:
                    file = f"{prefix}/{container.name}{suffix}.log"
                    kind = _kind(cell_run, container)
                    sources.append(Source(file=file, kind=kind, container=container.name, text=text))
    return sources


def _log(cell_run: CellRun, pod: PodStatus, container: ContainerStatus, *, previous: bool) -> str:
    try:
        return cell_run.kube.logs(cell_run.namespace, pod.name, container.name, previous=previous) or ""
    except ApiError:
        return ""


def _kind(cell_run: CellRun, container: ContainerStatus) -> SourceKind:
    if container.name == cell_run.builder_container:
        return SourceKind.DAEMON
    return SourceKind.INIT if container.init else SourceKind.CONTAINER


def _without_managed_fields(pod: Json) -> Json:
    metadata = {key: value for key, value in pod["metadata"].items() if key != "managedFields"}
    return {**pod, "metadata": metadata}
