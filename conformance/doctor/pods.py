"""Say of a pod why it is not ready: state first, then its log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from conformance.classify import TextFinding, classify_text
from conformance.doctor.reader import Reader
from conformance.kube import Json
from conformance.model import SourceKind

#: The end of a log, where what failed stands.
_LOG_LINES: Final = 200


def is_ready(pod: Json) -> bool:
    """Say whether the pod is Ready."""
    return any(each["type"] == "Ready" and each["status"] == "True" for each in _conditions(pod))


def is_over(pod: Json) -> bool:
    """Say whether the pod has ended and stays only as a record, e.g. of an eviction."""
    return (pod.get("status") or {}).get("phase") in {"Succeeded", "Failed"}


def why_unscheduled(pod: Json) -> str | None:
    """Return the scheduler's words about a pod without a node; None: it has one."""
    if (pod.get("spec") or {}).get("nodeName"):
        return None
    for each in _conditions(pod):
        if each["type"] == "PodScheduled" and each["status"] == "False":
            return f"{each.get('reason', '')}: {each.get('message', '')}"
    return "no scheduler has looked at it yet"


def states(pod: Json) -> tuple[str, ...]:
    """Return what phase, scheduling and containers say, a line each."""
    return tuple(" ".join(line.split()).rstrip(": ") for line in _lines(pod))


def diagnose(reader: Reader, pod: Json) -> tuple[TextFinding, tuple[str, ...]]:
    """Return why a pod is not ready and the lines that say so. Raises ApiError when the API does not answer."""
    said = states(pod)
    texts = [("\n".join(said), SourceKind.STATUS), *((log, SourceKind.DAEMON) for log in _logs(reader, pod))]
    finding = best(texts)
    return finding, (*said, *(each.text for each in finding.evidence if each.text.strip() not in "\n".join(said)))


def best(texts: Iterable[tuple[str, SourceKind]]) -> TextFinding:
    """Return the first finding that settles the matter, else the first that names a class."""
    findings = [finding for text, kind in texts if (finding := classify_text(text, kind)).class_ is not None]
    return next((each for each in findings if each.decisive), findings[0] if findings else TextFinding())


def _lines(pod: Json) -> Iterator[str]:
    name, status = pod["metadata"]["name"], pod.get("status") or {}
    yield f"Pod/{name} phase={status.get('phase', 'Unknown')} {status.get('reason', '')} {status.get('message', '')}"
    if (why := why_unscheduled(pod)) is not None:
        yield f"Pod/{name} PodScheduled=False {why}"
    for container in _containers(pod):
        about = f"Pod/{name} container={container['name']}"
        state = container.get("state") or {}
        if waiting := state.get("waiting"):
            yield f"{about} waiting {waiting.get('reason', '')}: {waiting.get('message', '')}"
        for word, ended in (
            ("terminated", state.get("terminated")),
            ("last-terminated", (container.get("lastState") or {}).get("terminated")),
        ):
            if ended:
                how = f"exit={ended.get('exitCode')} {ended.get('reason', '')}: {ended.get('message', '')}"
                yield f"{about} {word} {how}"
        if state.get("running") and not container.get("ready"):
            yield f"{about} runs and is not ready: its readiness probe fails, or has not succeeded yet"


def _logs(reader: Reader, pod: Json) -> Iterator[str]:
    metadata = pod["metadata"]
    for container in _containers(pod):
        has_run = container.get("restartCount") or "waiting" not in (container.get("state") or {})
        if container.get("ready") or not has_run:
            continue
        for previous in (True, False) if container.get("restartCount") else (False,):
            log = reader.log_tail(metadata["namespace"], metadata["name"], container["name"], previous=previous)
            yield "\n".join(log.splitlines()[-_LOG_LINES:])


def _containers(pod: Json) -> list[Json]:
    status = pod.get("status") or {}
    initial = [
        each
        for each in status.get("initContainerStatuses") or []
        # One that ended well is none of the reasons.
        if ((each.get("state") or {}).get("terminated") or {}).get("exitCode") != 0
    ]
    return [*initial, *(status.get("containerStatuses") or [])]


def _conditions(pod: Json) -> list[Json]:
    return (pod.get("status") or {}).get("conditions") or []
