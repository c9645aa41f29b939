"""Which life a builder's container is in: state that no text can hide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from conformance.errors import ApiError, WaitError
from conformance.probes.context import ProbeRun
from conformance.stages.context import container_status
from conformance.waiting import poll

#: When process 1 was started, in clock ticks after the machine (proc_pid_stat(5), field 22).
_STARTED: Final = "cut -d ' ' -f 22 /proc/1/stat"

#: The most memory in bytes that the container and all below it have used at once: cgroup v2 and v1.
PEAK: Final = (
    "cat /sys/fs/cgroup/memory.peak 2>/dev/null || cat /sys/fs/cgroup/memory/memory.max_usage_in_bytes 2>/dev/null"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Life:
    """A life of a container."""

    #: Of the pod.
    uid: str
    #: As the kubelet counts them.
    restarts: int
    #: When its first process was started, in the kernel's own words.
    started: str


def current(run: ProbeRun) -> Life:
    """Return the life of the builder's container. Raises WaitError when it does not run in the probe's time."""
    return poll(lambda: _look(run), within=run.deadline.remaining, what="a running builder")


def usable_again(run: ProbeRun) -> Life:
    """Wait until the builder can build and return its life. Raises WaitError."""
    poll(lambda: run.usable() or None, within=run.deadline.remaining, what="a builder that can build again")
    return current(run)


def counted(run: ProbeRun, before: Life) -> int:
    """Return how many restarts the kubelet has counted since, given the time it needs to notice."""
    now = current(run)
    if now.started == before.started and now.uid == before.uid:
        return now.restarts - before.restarts
    within = min(run.deadline.remaining, run.cell_run.timeouts.start)
    try:
        return poll(
            lambda: _restarts(run) - before.restarts or None, within=within, what="the kubelet counting a restart"
        )
    except WaitError:
        return 0


def _look(run: ProbeRun) -> Life | None:
    try:
        ran = run.in_builder("sh", "-c", _STARTED)
    except ApiError as error:
        if error.status is None:
            # The API server itself is gone: waiting for the container brings nothing.
            raise
        # The container is between two lives.
        return None
    started = ran.output.strip()
    if not ran.ok or not started.isdigit():
        return None
    return Life(uid=str(run.pod()["metadata"]["uid"]), restarts=_restarts(run), started=started)


def _restarts(run: ProbeRun) -> int:
    return int(container_status(run.pod(), run.cell_run.builder_container).get("restartCount", 0))
