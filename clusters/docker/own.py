"""A Docker engine of our own, in namespaces of its own, for machines that have none and on which we are root.

Its images and containers lie in one folder; it has no way to any network but this machine. Everything of it vanishes
with one process, one folder, one veth pair and one cgroup. It runs as long as a cluster uses it, or until it is
stopped when it was started by hand.
"""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from clusters import paths
from clusters.docker import daemon
from clusters.docker.engines import Engine
from clusters.docker.own_layout import Own, own
from clusters.docker.timeouts import TIMEOUTS
from clusters.embedded import cgroups, host, requirements, subnets, toolchain
from clusters.errors import ClustersError, UnavailableError
from clusters.provider import Progress

#: What it needs of Debian.
PACKAGES: Final = Path(__file__).with_name("own.toml")

#: Who uses an engine that was started by hand.
BY_HAND: Final = "by-hand"

#: Bytes that the address of a socket may have (unix(7), sun_path).
SOCKET_PATH: Final = 107


def why_impossible() -> str | None:
    """Say why no engine of our own can run here, or None."""
    if platform.system() != "Linux" or os.geteuid() != 0:
        return "an engine of our own needs Linux and root"
    reason = next((reason for check in host.MACHINE_CHECKS if (reason := check()) is not None), None)
    missing = requirements.missing(PACKAGES)
    if reason is None and missing and (why := requirements.why_not_installable()) is not None:
        reason = f"{requirements.explain(missing)} ({why})"
    if reason is None and len(str(own().socket)) > SOCKET_PATH:
        reason = f"{own().socket} is too long for a socket: set BUILD_CONFORMANCE_STATE_DIR to a shorter path"
    return reason


def prepare(progress: Progress) -> None:
    """Install missing Debian packages and get its programs. Raises ClustersError."""
    reason = why_impossible()
    if reason is not None:
        raise UnavailableError(reason)
    requirements.install(requirements.missing(PACKAGES), progress)
    toolchain.ensure(toolchain.pick(daemon.PROGRAMS), progress=progress)


def acquire(user: str, progress: Progress) -> Engine:
    """Return the engine, started when it does not run; `user` is written down first. Raises ClustersError."""
    mine = own()
    with locked():
        mine.users.mkdir(mode=0o700, parents=True, exist_ok=True)
        (mine.users / user.replace("/", ".")).touch()
        found = daemon.running(mine)
        if found is None:
            _clear(mine)
            progress("starting a Docker engine of our own, for there is no other")
            daemon.start(mine)
            found = daemon.wait(mine)
        return found


def release(user: str) -> None:
    """Write down that `user` does not need the engine any more; stop and remove it when nobody does."""
    mine = own()
    if not mine.root.exists():
        return
    with locked():
        (mine.users / user.replace("/", ".")).unlink(missing_ok=True)
        if not users():
            _remove(mine)


def users() -> tuple[str, ...]:
    """Return who uses the engine."""
    folder = own().users
    return tuple(sorted(path.name for path in folder.iterdir())) if folder.is_dir() else ()


def running() -> Engine | None:
    """Return the engine if it runs and answers."""
    return daemon.running(own())


def trace() -> str | None:
    """Say what there is of the engine on this machine, or None."""
    mine = own()
    groups = cgroups.leftovers(mine.cgroup, cgroups.mounted())
    if mine.root.exists() or groups or mine.interface in subnets.interfaces():
        return f"a Docker engine of ours in {mine.root}"
    return None


def _clear(mine: Own) -> None:
    """Remove what is left of an engine that does not run any more, its users aside."""
    daemon.end(mine)
    for path in mine.root.iterdir():
        if path != mine.users:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _remove(mine: Own) -> None:
    daemon.end(mine)
    try:
        shutil.rmtree(mine.root)
    except OSError as error:
        raise ClustersError(
            f"the files of our Docker engine cannot be removed ({error}): see who uses {mine.root}, "
            "then run python -m clusters janitor"
        ) from error


@contextmanager
def locked() -> Iterator[None]:
    """Keep other processes from starting or stopping the engine, or claiming a name. Raises UnavailableError."""
    paths.state_dir().mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = FileLock(paths.state_dir() / "engine.lock", timeout=TIMEOUTS.lock)
    try:
        lock.acquire()
    except Timeout as error:
        raise UnavailableError(
            f"another process has held {lock.lock_file} for {TIMEOUTS.lock:g} s: "
            f"see which (fuser {lock.lock_file}) and end it"
        ) from error
    try:
        yield
    finally:
        lock.release()
