"""What a stage works with, and how it says that it failed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from clusters.provider import Capability, Cluster
from conformance.fixtures import Fixtures
from conformance.kube import Json, Kube, Ran
from conformance.model import Cell, ConnectionFacts, Source, SourceKind, Stage
from conformance.tools import Driver
from conformance.waiting import Timeouts

#: The label that helm charts put on what they install (https://helm.sh/docs/chart_best_practices/labels/).
INSTANCE_LABEL = "app.kubernetes.io/instance"


class StageFailedError(Exception):
    """The stage did not pass; the message is one line of what was seen. Never a judgement."""


@dataclass(kw_only=True, slots=True)
class CellRun:
    """One cell under way. Stages add what they see to `sources`."""

    cell: Cell
    cluster: Cluster
    kube: Kube
    fixtures: Fixtures
    namespace: str
    release: str
    builder_container: str
    client_container: str
    timeouts: Timeouts
    git_context: str
    #: Runs builds in the client's container.
    driver: Driver
    #: Where the client's pod is, when it is not the release's: a namespace, and the labels that select it.
    client_namespace: str = ""
    client_labels: str = ""
    #: What is known of the way from there to the daemon.
    connection: ConnectionFacts | None = None
    #: What the client said when it was last asked whether the daemon answers.
    answer: str = ""
    #: Says whether what is seen so far already carries a class that no waiting can change.
    decided: Callable[[], bool] = lambda: False
    sources: list[Source] = field(default_factory=list)
    #: Whether probes may kill and fill on a cluster that is not ours.
    allow_disruptive: bool = False
    #: `sha256:...` of the image that was pushed.
    pushed_digest: str = ""

    def pods(self) -> list[Json]:
        """List the release's pods."""
        return self.kube.pods(self.namespace, labels=f"{INSTANCE_LABEL}={self.release}")

    def pod(self) -> Json:
        """Return the release's newest pod. Raises StageFailedError when there is none any more."""
        pods = self.pods()
        if not pods:
            raise StageFailedError("the release has no pod any more")
        return max(pods, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))

    def client_pod(self) -> Json:
        """Return the pod the client runs in. Raises StageFailedError when there is none any more."""
        if not self.client_namespace:
            return self.pod()
        pods = self.kube.pods(self.client_namespace, labels=self.client_labels)
        if not pods:
            raise StageFailedError("the client has no pod any more")
        return max(pods, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))

    def note(self, file: str, kind: SourceKind, text: str, *, stage: Stage | None = None, container: str = "") -> None:
        """Keep a text for the observation."""
        self.sources.append(Source(file=file, kind=kind, container=container, stage=stage, text=text))

    def in_client(self, argv: Iterable[str], *, within: float, give_up: Callable[[], bool] = lambda: False) -> Ran:
        """Run a command in the client's container."""
        return self.kube.execute(
            self.client_namespace or self.namespace,
            str(self.client_pod()["metadata"]["name"]),
            self.client_container,
            list(argv),
            within=within,
            give_up=give_up,
        )

    @property
    def image_name(self) -> str:
        """Return the name the cell's image is pushed under, without tag."""
        return f"{self.fixtures.registry}/{self.namespace}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """A stage as the table lists it."""

    stage: Stage
    #: One sentence: what passes.
    summary: str
    #: Returns one line of what was seen. Raises StageFailedError, ApiError, WaitError.
    run: Callable[[CellRun], str]
    #: What the cluster must be able to do; without it the stage does not run.
    requires: frozenset[Capability] = frozenset()


def container_status(pod: Json, name: str) -> Json:
    """Return a container's status from a pod; an empty one before the kubelet has reported."""
    status = pod.get("status", {})
    every = [*status.get("containerStatuses", []), *status.get("initContainerStatuses", [])]
    return next((entry for entry in every if entry["name"] == name), {})


def waiting_reasons(pod: Json) -> list[tuple[str, str, str]]:
    """Return (container, reason, message) of every container that waits for more than its turn."""
    status = pod.get("status", {})
    every = [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]
    found = []
    for entry in every:
        waiting = entry.get("state", {}).get("waiting", {})
        reason = waiting.get("reason", "")
        if reason not in {"", "ContainerCreating", "PodInitializing"}:
            found.append((entry["name"], reason, waiting.get("message", "")))
    return found


def has_died(pod: Json, name: str) -> bool:
    """Say whether a container has ended at least once."""
    status = container_status(pod, name)
    return int(status.get("restartCount", 0)) > 0 or "terminated" in status.get("state", {})


def rejection(pods: Iterable[Json]) -> str | None:
    """Return reason and message of a pod that failed as a whole, as the kubelet says them; None: there is no such pod.

    Its controller makes another pod at once, so the newest pod of a release may be one that nobody has refused yet.
    """
    for pod in pods:
        status = pod.get("status", {})
        if status.get("phase") == "Failed":
            return f"pod failed: {status.get('reason', '')}: {status.get('message', '')}"
    return None
