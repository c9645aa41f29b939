"""Steps of a creation: each is announced, timed, and turned into one kind of error when it fails."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from clusters.embedded.layout import Layout
from clusters.errors import ClusterFailedError, ClustersError, UnavailableError, UsageError
from clusters.provider import Progress


class Steps:
    """The steps of one cluster so far. `seconds` maps their names to how long they took."""

    def __init__(self, layout: Layout, progress: Progress) -> None:
        """Report on the cluster of that layout to `progress`."""
        self._layout = layout
        self._progress = progress
        self._began = time.monotonic()
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Run the block as a step. Raises ClusterFailedError for what goes wrong, bad input and missing needs aside."""
        began = time.monotonic()
        try:
            yield
        except (UsageError, UnavailableError, ClusterFailedError):
            raise
        except (ClustersError, OSError) as error:
            logs = self._layout.logs if self._layout.logs.is_dir() else None
            raise ClusterFailedError(self._layout.name, name, str(error), logs) from error
        self.done(name, time.monotonic() - began)

    def done(self, name: str, seconds: float) -> None:
        """Record that a step is over and took so many seconds."""
        self.seconds[name] = round(seconds, 3)
        self._progress(f"{name} ({seconds:.1f} s, {self.elapsed():.1f} s in all)")

    def elapsed(self) -> float:
        """Return the seconds since the first step."""
        return time.monotonic() - self._began
