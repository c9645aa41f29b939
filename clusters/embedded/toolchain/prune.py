"""Remove from the cache what no build of today would use again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from clusters.embedded.toolchain import cache
from clusters.embedded.toolchain.go import find, wheel_folder
from clusters.embedded.toolchain.programs import every
from clusters.embedded.toolchain.progress import Show
from clusters.embedded.toolchain.supply import look
from clusters.embedded.toolchain.tools import KUBERNETES_LINES
from clusters.provider import Progress


def prune(*, everything: bool, progress: Progress) -> int:
    """Remove leftovers of interrupted builds and programs of other versions; return how many bytes that freed.

    With `everything`, what is in use is removed too, so that the next build starts from nothing.
    """
    freed = 0
    with cache.locked(Show(progress)):
        kept = frozenset[Path]() if everything else frozenset(_used())
        for folder in cache.folders():
            if folder not in kept:
                progress(f"removing {folder}")
                freed += cache.remove(folder)
    return freed


def _used() -> Iterator[Path]:
    if find() is None:
        # Without a `go` nobody can tell what it would build, so nothing is known to be of no use.
        yield from (entry.folder for entry in cache.entries())
    for line in KUBERNETES_LINES:
        for path in look(every(line)).found.values():
            yield path.parent
    yield wheel_folder()
