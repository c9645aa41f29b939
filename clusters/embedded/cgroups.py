"""The cluster's own folder in every cgroup hierarchy: made before the node starts, emptied and removed at the end.

Below it, `components` holds the node's own processes and the kubelet makes what pods need. Both cgroup v1 (every
mounted hierarchy) and v2 (one tree, with its controllers handed on) are served; see cgroups(7).
"""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from clusters import waiting
from clusters.embedded.timeouts import TIMEOUTS
from clusters.errors import UnavailableError

COMPONENTS = "components"

#: Controllers a kubelet insists on, cgroup v1 and v2.
NEEDED_V1 = frozenset({"cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "pids"})
NEEDED_V2 = frozenset({"cpu", "cpuset", "memory", "pids"})

#: Files of a new cpuset that are empty in v1 and refuse processes until they are filled.
CPUSET_FILES = ("cpuset.cpus", "cpuset.mems")


@dataclass(frozen=True, kw_only=True, slots=True)
class Hierarchy:
    """A mounted cgroup file system: where, whether it is v2, and (v1 only) its controllers."""

    path: Path
    is_v2: bool
    controllers: frozenset[str]


def mounted(mountinfo: Path = Path("/proc/self/mountinfo")) -> tuple[Hierarchy, ...]:
    """Return the hierarchies mounted at or below /sys/fs/cgroup (proc_pid_mountinfo(5))."""
    found: dict[Path, Hierarchy] = {}
    for line in mountinfo.read_text().splitlines():
        before, _, after = line.partition(" - ")
        path = Path(before.split()[4])
        kind, _, options = after.split(" ", 2)
        if kind in {"cgroup", "cgroup2"} and path.is_relative_to("/sys/fs/cgroup"):
            controllers = frozenset() if kind == "cgroup2" else frozenset(options.split(","))
            found[path] = Hierarchy(path=path, is_v2=kind == "cgroup2", controllers=controllers)
    return tuple(found.values())


def why_unusable(hierarchies: tuple[Hierarchy, ...]) -> str | None:
    """Say what a kubelet would miss, or None."""
    if not hierarchies:
        return "no cgroups are mounted at /sys/fs/cgroup: mount them (systemd and Debian's cgroupfs-mount do)"
    v1 = frozenset[str]().union(*(hierarchy.controllers for hierarchy in hierarchies))
    if v1 & NEEDED_V1:
        missing = NEEDED_V1 - v1
    else:
        root = next(hierarchy.path for hierarchy in hierarchies if hierarchy.is_v2)
        missing = NEEDED_V2 - set((root / "cgroup.controllers").read_text().split())
    if missing:
        return f"the kernel or its container offers no cgroup controllers {', '.join(sorted(missing))}"
    return None


def create(name: str, hierarchies: tuple[Hierarchy, ...]) -> tuple[Path, ...]:
    """Make the cluster's folders and return those that its own processes are to join. Raises UnavailableError."""
    has_v1 = any(hierarchy.controllers & NEEDED_V1 for hierarchy in hierarchies)
    joined = []
    for hierarchy in hierarchies:
        top = hierarchy.path / name
        if hierarchy.is_v2 and not has_v1:
            _hand_on_controllers(hierarchy.path)
        for folder in (top, top / COMPONENTS):
            folder.mkdir(exist_ok=True)
            if hierarchy.is_v2 and not has_v1 and folder is top:
                _hand_on_controllers(folder)
            for file in CPUSET_FILES if "cpuset" in hierarchy.controllers else ():
                (folder / file).write_text((folder.parent / file).read_text())
        joined.append(top / COMPONENTS)
    return tuple(joined)


def _hand_on_controllers(folder: Path) -> None:
    offered = set((folder / "cgroup.controllers").read_text().split())
    handed_on = set((folder / "cgroup.subtree_control").read_text().split())
    for controller in sorted(offered - handed_on):
        try:
            (folder / "cgroup.subtree_control").write_text(f"+{controller}")
        except OSError as error:
            if controller not in NEEDED_V2:
                continue
            # A cgroup namespace whose root holds processes cannot hand controllers on (no internal processes).
            reason = "it holds processes itself" if error.errno == errno.EBUSY else os.strerror(error.errno or 0)
            raise UnavailableError(
                f"cgroup {folder} cannot hand its {controller} controller on: {reason}. "
                "In a container, move its processes into a cgroup below first"
            ) from error


def pids(name: str, hierarchies: tuple[Hierarchy, ...]) -> frozenset[int]:
    """Return the processes in the cluster's folders, all levels."""
    return frozenset(
        int(pid)
        for hierarchy in hierarchies
        for folder in _folders(hierarchy.path / name)
        for pid in _read(folder / "cgroup.procs").split()
    )


def remove(name: str, hierarchies: tuple[Hierarchy, ...]) -> None:
    """Kill what is left in the cluster's folders and remove them. Raises TooSlowError when they will not go."""
    waiting.until(
        lambda: _try_to_remove(name, hierarchies),
        limit=TIMEOUTS.removal,
        what=f"the processes and folders of cgroup {name} to go",
    )


def _try_to_remove(name: str, hierarchies: tuple[Hierarchy, ...]) -> bool:
    for pid in pids(name, hierarchies):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    for hierarchy in hierarchies:
        for folder in _folders(hierarchy.path / name):
            try:
                folder.rmdir()
            except OSError:
                # Busy while its processes die; the next round tries again.
                continue
    return not any((hierarchy.path / name).exists() for hierarchy in hierarchies)


def leftovers(prefix: str, hierarchies: tuple[Hierarchy, ...]) -> Mapping[str, int]:
    """Return the names of folders with that prefix and how many processes are in each."""
    names = {path.name for hierarchy in hierarchies for path in hierarchy.path.glob(f"{prefix}*") if path.is_dir()}
    return {name: len(pids(name, hierarchies)) for name in sorted(names)}


def _folders(top: Path) -> Iterator[Path]:
    """Yield a folder and all below it, deepest first."""
    for root, _, _ in os.walk(top, topdown=False):
        yield Path(root)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        # It went while we looked.
        return ""
