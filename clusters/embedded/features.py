"""What a cluster can be asked for beside what every embedded cluster has: each a program more on its node."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clusters.embedded import policies, requirements, status, volumes
from clusters.embedded.access import Objects
from clusters.embedded.layout import Layout
from clusters.embedded.orders import Kind, Ready, Step
from clusters.embedded.pki import Identity
from clusters.embedded.status import State
from clusters.embedded.timeouts import TIMEOUTS
from clusters.provider import Capability, Progress

#: What makes the objects that the programs need.
OBJECTS: Final = "features"


@dataclass(frozen=True, kw_only=True, slots=True)
class Feature:
    """A program on the node that gives a cluster a capability."""

    #: In the toolchain; its step, certificate and kubeconfig are called like it.
    program: str
    #: As whom it speaks to the API server.
    user: str
    objects: Callable[[], Objects]
    step: Callable[[Layout], Step]
    #: Its configuration, names and texts, given the image of the unprivileged client.
    files: Callable[[str], Mapping[str, str]]
    #: What this machine lacks for it, or None.
    why_impossible: Callable[[], str | None]
    #: Lists the Debian packages that it needs.
    packages: Path | None = None


FEATURES: Final[Mapping[Capability, Feature]] = {
    Capability.VOLUMES: Feature(
        program=volumes.PROGRAM,
        user=volumes.USER,
        objects=volumes.objects,
        step=volumes.step,
        files=lambda image: {
            volumes.CONFIGURATION: volumes.configuration(),
            volumes.HELPER_POD: volumes.helper_pod(image),
        },
        why_impossible=lambda: None,
    ),
    Capability.NETWORK_POLICY: Feature(
        program=policies.PROGRAM,
        user=policies.USER,
        objects=policies.objects,
        step=policies.step,
        files=lambda _image: {},
        why_impossible=policies.why_impossible,
        packages=policies.PACKAGES,
    ),
}

#: Features of one cluster.
Asked = tuple[Feature, ...]


def lacking(asked: Collection[Capability]) -> Mapping[Capability, str]:
    """Return those of the capabilities that are features and that this machine cannot have, each with its reason.

    A cluster without one is still a cluster: what needs it finds it missing among the cluster's capabilities.
    """
    reasons = {one: feature.why_impossible() for one, feature in FEATURES.items() if one in asked}
    return {one: reason for one, reason in reasons.items() if reason is not None}


def possible(asked: Collection[Capability]) -> Asked:
    """Return the features among the capabilities that this machine can have."""
    without = lacking(asked)
    return tuple(feature for one, feature in FEATURES.items() if one in asked and one not in without)


def install(asked: Collection[Capability], progress: Progress) -> None:
    """Install the Debian packages that are missing. Raises UnavailableError where that is not ours, CommandError."""
    files = [feature.packages for feature in possible(asked) if feature.packages is not None]
    requirements.install(tuple(package for file in files for package in requirements.missing(file)), progress)


def identities(features: Asked) -> Mapping[str, Identity]:
    """Return who needs a certificate."""
    return {feature.program: Identity(user=feature.user) for feature in features}


def write(features: Asked, layout: Layout, image: str) -> None:
    """Write the programs' configuration; `image` has a shell and is on the node."""
    for feature in features:
        for name, text in feature.files(image).items():
            (layout.config / name).write_text(text)


def steps(features: Asked, layout: Layout) -> tuple[Step, ...]:
    """Return the steps that come to those of every cluster, none when nothing was asked for."""
    if not features:
        return ()
    objects = Step(
        name=OBJECTS,
        needs=("kube-apiserver",),
        objects=tuple(item for feature in features for item in feature.objects()),
        ready=Ready(kind=Kind.NOTHING, limit=TIMEOUTS.request),
    )
    return (objects, *(feature.step(layout) for feature in features))


def programs(layout: Layout) -> tuple[str, ...]:
    """Return the programs of the features that a cluster has."""
    return tuple(FEATURES[capability].program for capability in sorted(found(layout)))


def found(layout: Layout) -> frozenset[Capability]:
    """Return the capabilities whose programs a cluster's supervisor has seen at work."""
    now = status.read(layout.status)
    ready = {step.name for step in now.steps if step.state is State.READY} if now is not None else set()
    return frozenset(capability for capability, feature in FEATURES.items() if feature.program in ready)
