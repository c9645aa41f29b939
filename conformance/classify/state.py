"""What structured state says: reasons, exit codes, conditions, phases. It beats every text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from conformance.classify.catalogue import CLASSES
from conformance.classify.matcher import scan
from conformance.classify.records import Hit, Tier
from conformance.classify.settle import OBSERVATION_FILE
from conformance.model import (
    ContainerStatus,
    ContainerTermination,
    Evidence,
    Observation,
    SourceKind,
    Stage,
    StageStatus,
)

#: Reasons of containers and pods that are a class by themselves, whatever the message says.
_REASONS: Final = {
    "OOMKilled": "oom-killed",
    "Evicted": "pod-evicted",
    "InvalidImageName": "image-name-invalid",
    "ErrImageNeverPull": "image-never-present",
    "OutOfcpu": "scheduling-insufficient-resources",
    "OutOfmemory": "scheduling-insufficient-resources",
    "OutOfephemeral-storage": "scheduling-insufficient-resources",
    "OutOfpods": "scheduling-too-many-pods",
    "NodeAffinity": "scheduling-taint-or-selector",
    "AppArmor": "apparmor-not-enabled",
}
_SIGKILL: Final = 137
_PULL_REASONS: Final = frozenset({"ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "ImageInspectError"})


def state_hits(observation: Observation) -> list[Hit]:
    """Return what containers, events and conditions say, each citing the line of a text that repeats it, if one does.

    Some of it may have been so only for a while.
    """
    hits = [
        hit
        for pod in observation.pods
        for container in pod.containers
        for hit in _container_hits(observation, pod.name, container)
    ]
    return hits + _message_hits(observation) + list(_silent_pull(observation))


def final_hits(observation: Observation) -> list[Hit]:
    """Return why pods ended: a pod that has a reason does not come back."""
    return [
        _hit(observation, _REASONS[pod.reason], f"Pod/{pod.name} phase={pod.phase} {pod.reason} {pod.message}")
        for pod in observation.pods
        if pod.reason in _REASONS
    ]


def _container_hits(observation: Observation, pod: str, container: ContainerStatus) -> Iterator[Hit]:
    about = f"Pod/{pod} container={container.name}"
    if (name := _REASONS.get(container.waiting_reason)) is not None:
        yield _hit(observation, name, f"{about} waiting {container.waiting_reason}: {container.waiting_message}")
    elif container.waiting_reason in _PULL_REASONS:
        text = f"{about} waiting {container.waiting_reason}: {container.waiting_message}"
        yield _hit(observation, "image-pull-failed", text, tier=Tier.CONSEQUENCE)
    for word, ended in (("terminated", container.terminated), ("last-terminated", container.last_terminated)):
        if ended is not None and (name := _ended_as(ended)) is not None:
            text = f"{about} {word} exit={ended.exit_code} {ended.reason}: {ended.message}"
            tier = Tier.STATE if name in _REASONS.values() else Tier.CONSEQUENCE
            yield _hit(observation, name, text.rstrip(": "), tier=tier)


def _ended_as(ended: ContainerTermination) -> str | None:
    if ended.reason in _REASONS:
        return _REASONS[ended.reason]
    return "container-exit-137" if ended.exit_code == _SIGKILL else None


def _message_hits(observation: Observation) -> list[Hit]:
    """Classify the messages of events, conditions and statuses where no text of the observation repeats them."""
    have = {source.kind for source in observation.sources if source.text}
    hits = []
    if SourceKind.EVENT not in have:
        hits += [hit for e in observation.events for hit in _spoken(f"{e.reason}: {e.message}", SourceKind.EVENT)]
    if SourceKind.STATUS not in have:
        said = [f"{c.about} {c.type}={c.status} {c.reason}: {c.message}" for c in observation.conditions]
        said += [f"{pod.reason} {pod.message}" for pod in observation.pods]
        for container in (c for pod in observation.pods for c in pod.containers):
            said.append(f"{container.waiting_reason}: {container.waiting_message}")
            said += [e.message for e in (container.terminated, container.last_terminated) if e is not None]
        hits += [hit for text in said for hit in _spoken(text, SourceKind.STATUS)]
    return hits


def _spoken(text: str, kind: SourceKind) -> list[Hit]:
    one_line = " ".join(text.split())
    return [as_state(hit) for hit in scan(one_line.encode(), kind=kind, file=OBSERVATION_FILE)]


def as_state(hit: Hit) -> Hit:
    """Return a hit in a message of the API as what it is: state, unless it only follows from something else."""
    evidence = hit.evidence
    if evidence.file == OBSERVATION_FILE:
        evidence = evidence.model_copy(update={"line": 0})
    tier = Tier.STATE if hit.tier is Tier.CAUSE else hit.tier
    return Hit(class_=hit.class_, tier=tier, evidence=evidence, also=hit.also, detail=hit.detail, order=hit.order)


def _silent_pull(observation: Observation) -> Iterator[Hit]:
    """Find a pull of which the kubelet says `Pulling` and then nothing: a registry's name does not resolve."""
    failed = observation.failed_stage
    if failed is None or failed.stage is not Stage.PULL or failed.status is not StageStatus.FAILED:
        return
    reasons = [event.reason for event in observation.events]
    if reasons.count("Pulling") and "Failed" not in reasons and "ErrImagePull" not in reasons:
        text = next(event.message for event in observation.events if event.reason == "Pulling")
        yield _hit(observation, "image-pull-dns", text, tier=Tier.CONSEQUENCE, also=("image-pull-failed",))


def _hit(observation: Observation, name: str, text: str, *, tier: Tier = Tier.STATE, also: tuple[str, ...] = ()) -> Hit:
    line = " ".join(text.split()).rstrip(":")
    return Hit(class_=CLASSES[name], tier=tier, evidence=_cited(observation, line), also=also, detail=line)


def _cited(observation: Observation, line: str) -> Evidence:
    """Return the line of a status or event text that says so; else the state itself."""
    for source in observation.sources:
        if source.kind in {SourceKind.STATUS, SourceKind.EVENT} and line in source.text:
            number = source.text[: source.text.index(line)].count("\n") + 1
            return Evidence(file=source.file, line=number, text=source.text.splitlines()[number - 1])
    return Evidence(file=OBSERVATION_FILE, line=0, text=line)
