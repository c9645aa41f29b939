"""Waiting: the only place that sleeps, and every limit by its name."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import tenacity

from clusters import interrupts
from conformance.errors import WaitError


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbeTimeouts:
    """How long each probe may look, in seconds, all its builds together. One that runs out is inconclusive."""

    #: Three builds and their layers.
    ownership: float = 240
    #: Two builds, their layers and every log.
    secrets: float = 180
    #: A build for each way to write a git context, and a git server that asks for a password.
    git_forms: float = 420
    #: Four builds, an export and an import.
    cache: float = 300
    #: Four builds, two of which must fail; BuildKit gives a frontend that does not answer 30 s.
    gateway: float = 240
    #: One build and the archive it writes.
    oci_tar: float = 120
    #: Two builds for two architectures, one of them under emulation.
    platforms: float = 240
    #: Eight builds at once.
    concurrency: float = 300
    #: Two builds and a prune.
    gc: float = 240
    #: Two builds at once, one looking at the other.
    isolation: float = 180
    #: A build that tries to kill its daemon, and the daemon's return.
    kill: float = 240
    #: Three builds, a killed daemon and its return.
    restart: float = 300
    #: A pod with a memory limit, and a build in it.
    memory_limit: float = 180
    #: Two pods with disk limits, a build in each, and the time the kubelet takes to evict them.
    disk_limit: float = 360


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeouts:
    """Every limit of the harness, in seconds. One that runs out makes a cell inconclusive, never unsupported."""

    #: From a namespace's creation until its default ServiceAccount exists (pods are refused without it).
    service_account: float = 30
    #: The API server's address accepts a connection.
    connect: float = 5
    #: One request to the API server.
    request: float = 30
    #: A provider notices that a component of its cluster has died.
    notice: float = 3
    #: From the install until a controller has created the pod or was refused.
    admission: float = 30
    #: From the pod's creation until a node is chosen: other cells may hold the resources.
    schedule: float = 60
    #: Until the builder's image is on the node.
    pull: float = 120
    #: Until the runtime has started every container.
    start: float = 60
    #: Until the daemon lists its workers to the client.
    ready: float = 60
    #: One build, from the client's start to its end.
    build: float = 120
    #: Until a pod of the pushed image has ended.
    run_image: float = 60
    #: A command inside a container that only reads.
    command: float = 20
    #: A client's call to a daemon that may not be there: BuildKit gives up dialling after 20 s by itself.
    dial: float = 45
    #: Until the git server and the registry answer.
    fixtures: float = 90
    #: Until a pod that only reads facts has ended.
    facts: float = 20
    #: Until the kubelet has evicted a pod that is over a limit: it measures volumes once a minute
    #: (--volume-stats-agg-period, https://kubernetes.io/docs/reference/command-line-tools-reference/kubelet/).
    eviction: float = 150
    #: Each probe's own.
    probes: ProbeTimeouts = ProbeTimeouts()


T = TypeVar("T")

#: Between two looks at something that changes within a second.
POLL_SECONDS = 0.2


def poll(look: Callable[[], T | None], *, within: float, what: str, every: float = POLL_SECONDS) -> T:
    """Call `look` until it returns something. Raises WaitError after `within` seconds, saying `what`."""
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda result: result is None),
        stop=tenacity.stop_after_delay(within),
        wait=tenacity.wait_fixed(every),
        sleep=pause,
    )
    try:
        found = retrying(look)
    except tenacity.RetryError as error:
        raise WaitError(f"{what} did not come to pass within {within:g} s") from error
    assert found is not None  # noqa: S101 - the retry condition says so
    return found


def pause(seconds: float = POLL_SECONDS) -> None:
    """Let a little time pass between two looks of a loop that bounds itself.

    Raises KeyboardInterrupt in a thread whose work has been given up.
    """
    interrupts.check()
    time.sleep(seconds)


class Deadline:
    """A point in time that a loop must not pass."""

    def __init__(self, seconds: float) -> None:
        """Set it `seconds` from now."""
        self._end = time.monotonic() + seconds

    @property
    def remaining(self) -> float:
        """Return the seconds left, never below zero."""
        return max(0.0, self._end - time.monotonic())

    @property
    def passed(self) -> bool:
        """Say whether it is too late."""
        return self.remaining <= 0
