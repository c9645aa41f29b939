"""Removal of a cluster, whole or half-made: everything is found by names that follow from the cluster's own."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import psutil

from clusters import process, waiting
from clusters.embedded import cgroups, emulators, subnets
from clusters.embedded.layout import Layout
from clusters.embedded.timeouts import TIMEOUTS
from clusters.errors import ClustersError

MOUNTINFO = Path("/proc/self/mountinfo")


def remove(layout: Layout) -> None:
    """Leave nothing of a cluster: processes, emulators, cgroups, network, mounts, folder. Raises ClustersError.

    What is gone already is no error, so this may be repeated after having been interrupted anywhere.
    """
    kill(layout)
    emulators.unregister(layout)
    hierarchies = cgroups.mounted()
    cgroups.remove(layout.cgroup, hierarchies)
    subnets.disconnect(layout)
    _unmount_below(layout.root)
    while layout.root.exists():
        try:
            shutil.rmtree(layout.root)
        except FileNotFoundError:
            # Somebody else removes it as well.
            continue
        except OSError as error:
            raise ClustersError(
                f"the files of cluster {layout.name} cannot be removed ({error}): "
                f"see who uses {layout.root}, then python -m clusters delete {layout.name}"
            ) from error


def _unmount_below(root: Path) -> None:
    """Detach mounts below a folder, deepest first: there are none of ours, but nothing is ever removed through one."""
    points = [Path(line.split()[4].replace("\\040", " ")) for line in MOUNTINFO.read_text().splitlines()]
    for point in sorted((point for point in points if point.is_relative_to(root)), reverse=True):
        process.run(["umount", "--lazy", str(point)], timeout=TIMEOUTS.command)


def processes(layout: Layout) -> tuple[psutil.Process, ...]:
    """Return the processes that hold a cluster: `unshare`, and the supervisor it started (first in its namespace).

    They are known by the path of the cluster's orders on their command line, so no recorded pid can mislead.
    """
    orders = str(layout.supervisor_spec)
    found = []
    for candidate in psutil.process_iter():
        try:
            words = candidate.cmdline()
        except psutil.Error:
            continue
        if words[-1:] == [orders] and "clusters.embedded.supervisor" in words:
            found.append(candidate)
    return tuple(found)


def kill(layout: Layout) -> None:
    """Kill the cluster's processes: with the first of the pid namespace the kernel kills all the others."""
    victims = processes(layout)
    for victim in victims:
        try:
            # psutil compares start times first: a pid that was reused is not hit.
            victim.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            continue
    waiting.until(
        lambda: all(_has_ended(victim) for victim in victims),
        limit=TIMEOUTS.removal,
        what=f"the processes of cluster {layout.name} to end",
    )


def _has_ended(victim: psutil.Process) -> bool:
    try:
        # Also takes the exit code, should it be our own child, so that no zombie stays.
        victim.wait(timeout=0)
    except psutil.TimeoutExpired:
        return False
    return True


def namespace_pid(layout: Layout) -> int | None:
    """Return the pid, as this machine sees it, of the first process inside the cluster, or None."""
    own = Path("/proc/self/ns/pid").stat().st_ino
    for found in processes(layout):
        try:
            if Path(f"/proc/{found.pid}/ns/pid").stat().st_ino != own:
                return found.pid
        except OSError:
            continue
    return None
