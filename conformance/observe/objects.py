"""Turn the API's raw objects into the records of an observation. Nothing is left out because it looks harmless."""

from __future__ import annotations

from collections.abc import Iterable

from conformance.kube import Json
from conformance.model import Condition, ContainerStatus, ContainerTermination, Event, PodStatus


def pod_status(pod: Json) -> PodStatus:
    """Return a pod's status."""
    status = pod.get("status", {})
    init = [_container(entry, init=True) for entry in status.get("initContainerStatuses", [])]
    main = [_container(entry, init=False) for entry in status.get("containerStatuses", [])]
    return PodStatus(
        name=pod["metadata"]["name"],
        phase=status.get("phase", "Unknown"),
        reason=status.get("reason", ""),
        message=status.get("message", ""),
        containers=(*init, *main),
    )


def conditions(kind: str, objects: Iterable[Json]) -> list[Condition]:
    """Return the conditions of objects of one kind."""
    return [
        Condition(
            about=f"{kind}/{each['metadata']['name']}",
            type=condition["type"],
            status=condition["status"],
            reason=condition.get("reason") or "",
            message=condition.get("message") or "",
        )
        for each in objects
        for condition in each.get("status", {}).get("conditions", [])
    ]


def event(raw: Json) -> Event:
    """Return an event; both the old and the new event API fill these fields."""
    about = raw.get("involvedObject", {})
    return Event(
        type=raw.get("type") or "",
        reason=raw.get("reason") or "",
        message=raw.get("message") or "",
        about=f"{about.get('kind', '')}/{about.get('name', '')}",
        count=raw.get("count") or (raw.get("series") or {}).get("count") or 1,
        last_seen=raw.get("lastTimestamp") or raw.get("eventTime") or raw["metadata"].get("creationTimestamp") or "",
    )


def event_line(seen: Event) -> str:
    """Return an event as `kubectl get events` would print it, on one line."""
    message = " ".join(seen.message.split())
    return f"{seen.last_seen} {seen.type} {seen.reason} {seen.about} x{seen.count}: {message}"


def status_lines(pods: Iterable[PodStatus], found: Iterable[Condition]) -> str:
    """Return the messages of pods, containers and conditions, one a line, so that they can be cited."""
    lines = []
    for pod in pods:
        lines.append(f"Pod/{pod.name} phase={pod.phase} {pod.reason} {pod.message}".rstrip())
        for container in pod.containers:
            head = f"Pod/{pod.name} container={container.name}"
            lines.append(f"{head} state={container.state} restarts={container.restarts} ready={container.ready}")
            if container.waiting_reason:
                lines.append(
                    f"{head} waiting {container.waiting_reason}: {' '.join(container.waiting_message.split())}"
                )
            for word, ended in (("terminated", container.terminated), ("last-terminated", container.last_terminated)):
                if ended is not None:
                    said = " ".join(ended.message.split())
                    lines.append(f"{head} {word} exit={ended.exit_code} {ended.reason}: {said}")
    for condition in found:
        said = " ".join(condition.message.split())
        lines.append(f"{condition.about} {condition.type}={condition.status} {condition.reason}: {said}")
    return "".join(f"{line}\n" for line in lines)


def _container(entry: Json, *, init: bool) -> ContainerStatus:
    state = entry.get("state") or {}
    name = next(iter(state), "unknown")
    waiting = state.get("waiting") or {}
    return ContainerStatus(
        name=entry["name"],
        init=init,
        ready=bool(entry.get("ready")),
        restarts=int(entry.get("restartCount") or 0),
        state=name,
        waiting_reason=waiting.get("reason") or "",
        waiting_message=waiting.get("message") or "",
        terminated=_termination(state.get("terminated")),
        last_terminated=_termination((entry.get("lastState") or {}).get("terminated")),
        image=entry.get("image") or "",
        image_id=entry.get("imageID") or "",
    )


def _termination(raw: Json | None) -> ContainerTermination | None:
    if not raw:
        return None
    return ContainerTermination(
        exit_code=int(raw.get("exitCode") or 0),
        reason=raw.get("reason") or "",
        message=raw.get("message") or "",
        signal=raw.get("signal"),
    )
