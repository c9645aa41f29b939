"""Say before a build starts that the disk is too small for it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from typing import Final

from clusters.embedded.toolchain import cache
from clusters.embedded.toolchain.jobs import Job
from clusters.errors import UnavailableError

_GIB: Final = 2**30
#: Left for everybody else.
_SPARE_GIB: Final = 0.5


def check(jobs: Iterable[Job]) -> None:
    """Raise UnavailableError when the module and build caches of these jobs would not fit beside what is there."""
    by_tool = {job.first.tool: job.first.disk_gib for job in jobs}
    if not by_tool:
        return
    # What an interrupted run left is used again, not made a second time.
    kept = cache.size_of(cache.work()) / _GIB
    needed = max(sum(by_tool.values()) - kept, 0) + _SPARE_GIB
    free = shutil.disk_usage(cache.root()).free / _GIB
    if free < needed:
        raise UnavailableError(
            f"building {', '.join(by_tool)} takes {needed:.1f} GiB while it runs, "
            f"and the disk of {cache.root()} has {free:.1f} GiB free: make room there "
            "(`python -m clusters toolchain prune` removes what is no longer used), "
            "or set BUILD_CONFORMANCE_CACHE_DIR to a folder on a larger disk"
        )


def is_full(output: str) -> bool:
    """Say whether a program's output tells that it ran out of space."""
    return "no space left on device" in output.lower()
