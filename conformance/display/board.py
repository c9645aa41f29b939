"""What is known of a run while it goes on: clusters, verdicts, and how long the rest is likely to take."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from conformance.errors import ConformanceError
from conformance.estimate import cell_seconds, cluster_seconds, load_durations
from conformance.model import Cell, Claim, Outcome, Result, Role
from conformance.options import WORKERS
from conformance.plan import Plan
from conformance.progress import ClusterState, Running

#: A cluster of these states costs no more creation.
_CREATED = frozenset({ClusterState.CONTROL, ClusterState.READY, ClusterState.DELETING})
#: Nothing more will happen to a cluster of these.
OVER = frozenset({ClusterState.GONE, ClusterState.FAILED, ClusterState.IMPOSSIBLE})


@dataclass(kw_only=True, slots=True)
class Standing:
    """A cluster of the run."""

    provider: str
    #: Cells that count, planned on it.
    planned: int
    state: ClusterState = ClusterState.WAITING
    #: What is being done to it, in a line.
    step: str = ""
    #: When its state began, by the monotonic clock.
    since: float = field(default_factory=time.monotonic)
    #: Of cells that count.
    outcomes: Counter[Outcome] = field(default_factory=Counter)


class Board:
    """The state of one run. Not safe for threads: its owner locks."""

    def __init__(self, plan: Plan, claims: Sequence[Claim]) -> None:
        """Know the plan; nothing has begun."""
        self.cells: Mapping[str, Cell] = {cell.id: cell for cell in plan}
        self.claims = claims
        self.total = len(plan.cells)
        self.began = time.monotonic()
        self.results: dict[str, Result] = {}
        counted = Counter(cell.cluster for cell in plan.cells)
        self.clusters = {key.name: Standing(provider=key.provider, planned=counted[key.name]) for key in plan.clusters}
        self._workers = 0
        self._seconds: dict[str, float] | None = None
        self._creation: dict[str, float] = {}

    @property
    def done(self) -> int:
        """Return how many cells that count have a result."""
        return sum(standing.outcomes.total() for standing in self.clusters.values())

    @property
    def outcomes(self) -> Counter[Outcome]:
        """Return the outcomes so far of cells that count."""
        return sum((standing.outcomes for standing in self.clusters.values()), Counter[Outcome]())

    def cluster(self, name: str, state: ClusterState) -> None:
        """Take note of a cluster's state."""
        if (standing := self.clusters.get(name)) is not None:
            standing.state, standing.step, standing.since = state, "", time.monotonic()

    def said(self, text: str) -> str | None:
        """Take note of a line of progress and return the cluster it is about, if it is about one."""
        name, found, step = text.partition(": ")
        if not found or name not in self.clusters:
            return None
        self.clusters[name].step = step
        return name

    def ended(self, result: Result) -> None:
        """Take note of a cell's result."""
        self.results[result.cell] = result
        if result.role is Role.SELECTED and (standing := self.clusters.get(result.cluster)) is not None:
            standing.outcomes[result.outcome] += 1

    def seconds_left(self, running: Mapping[str, Running]) -> float | None:
        """Return how long the rest is likely to take; None where nobody knows.

        Several clusters that are yet to be created are created side by side with the cells of others.
        """
        if self._seconds is None:
            self._seconds = self._estimates()
        if not self._seconds:
            return None
        self._workers = max(self._workers, len(running))
        now = time.time()
        work = 0.0
        longest = 0.0
        for cell, seconds in self._seconds.items():
            if cell not in self.results:
                spent = max(0.0, now - running[cell].since) if cell in running else 0.0
                work += max(0.0, seconds - spent)
                longest = max(longest, seconds - spent)
        creating = (
            self._creation[name] - (time.monotonic() - each.since if each.state is ClusterState.CREATING else 0.0)
            for name, each in self.clusters.items()
            if each.state not in _CREATED | OVER
        )
        return max(work / (self._workers or WORKERS), longest) + max(0.0, *creating, 0.0)

    def _estimates(self) -> dict[str, float]:
        """Return the seconds of each cell by recorded durations; none when they cannot be read."""
        with suppress(ConformanceError):
            durations = load_durations()
            self._creation = {name: cluster_seconds(each.provider, durations) for name, each in self.clusters.items()}
            return {name: cell_seconds(cell, self.claims, durations) for name, cell in self.cells.items()}
        return {}
