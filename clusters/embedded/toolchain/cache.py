"""Where built programs are kept: one folder each, named by program, version and key, published whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from clusters.embedded.toolchain.limits import LIMITS
from clusters.embedded.toolchain.progress import Show
from clusters.paths import cache_dir

_RECORD: Final = "made.json"
_WORK: Final = ".work"


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """What a built program is: the folder it has in the cache, named by a key, and what the key is made of."""

    folder: str
    made_from: Mapping[str, object]


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A program in the cache: its folder and what it was made from."""

    folder: Path
    program: str
    made_from: Mapping[str, object]

    @property
    def binary(self) -> Path:
        """The program itself."""
        return self.folder / self.program


def root() -> Path:
    """Return the folder of the toolchain's cache."""
    return cache_dir() / "toolchain"


def work() -> Path:
    """Return the folder of module and build caches, on the same file system as the results; made when missing.

    It is removed after success and kept after an interruption, so that the next run goes on from there.
    """
    folder = root() / _WORK
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def work_exists() -> bool:
    """Say whether an interrupted run left its module and build caches."""
    return (root() / _WORK).is_dir()


def fresh_folder(stem: str) -> Path:
    """Return a new empty folder inside `work()`, from where a result can be moved into place."""
    return Path(tempfile.mkdtemp(prefix=f"{stem}-", dir=work()))


def clear_work() -> None:
    """Remove module and build caches and everything half-made."""
    _remove(root() / _WORK)


def find(identity: Identity, program: str) -> Path | None:
    """Return a program that was published as that, or None."""
    folder = root() / identity.folder
    whole = os.access(folder / program, os.X_OK) and (folder / _RECORD).is_file()
    return folder / program if whole else None


def publish(identity: Identity, program: str, built: Path) -> None:
    """Move a built program into the cache, all of it at once or not at all."""
    staging = fresh_folder("publish")
    built.rename(staging / program)
    record = {"program": program, "from": identity.made_from}
    (staging / _RECORD).write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    move_into_place(staging, root() / identity.folder)


def move_into_place(staging: Path, final: Path) -> None:
    """Rename a finished folder to its final name; what was there (damaged, or it would have been found) goes."""
    staging.chmod(0o755)
    if final.exists():
        # Moved aside rather than removed in place: a reader sees the old folder or the new one, never half of one.
        final.rename(fresh_folder("old") / final.name)
    staging.rename(final)


def entries() -> tuple[Entry, ...]:
    """Return everything that was published, in order of name."""
    return tuple(sorted(_entries(), key=lambda entry: entry.folder.name))


def folders() -> tuple[Path, ...]:
    """Return every folder of the cache: programs, the `go` of the wheel, what interrupted builds left."""
    return tuple(sorted(path for path in root().iterdir() if path.is_dir()))


def remove(folder: Path) -> int:
    """Remove a folder of the cache and return how many bytes it took."""
    size = size_of(folder)
    _remove(folder)
    return size


def size_of(folder: Path) -> int:
    """Return how many bytes the files below a folder take on disk."""
    found = (path.lstat() for path in folder.rglob("*"))
    return sum(stat.st_blocks * 512 for stat in found)


@contextmanager
def locked(show: Show) -> Iterator[None]:
    """Hold the cache for one run; a second one waits for it, saying so."""
    root().mkdir(parents=True, exist_ok=True)
    lock = FileLock(root() / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        with show.step(f"another run is building into {root()}", "waiting for it to finish", "finished"):
            lock.acquire(poll_interval=LIMITS.lock_poll)
    try:
        yield
    finally:
        lock.release()


def _entries() -> Iterator[Entry]:
    for record in root().glob(f"*/{_RECORD}"):
        said = json.loads(record.read_text(encoding="utf-8"))
        folder = record.parent
        yield Entry(folder=folder, program=said["program"], made_from=said["from"])


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
