"""One lock for what two creations must not do at the same time: claim a name, choose a subnet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from clusters import paths
from clusters.embedded.timeouts import TIMEOUTS
from clusters.errors import UnavailableError


@contextmanager
def held() -> Iterator[None]:
    """Hold the lock while the block runs. Raises UnavailableError when another process holds it for too long."""
    paths.state_dir().mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = FileLock(paths.state_dir() / "embedded.lock", timeout=TIMEOUTS.lock)
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
