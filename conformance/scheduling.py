"""Which cell goes to which worker: always the earliest of the plan, also after a worker has died.

Cells are ordered by cluster and not every cluster is up at once. A worker that was given a cell of a later cluster
waits for it; had an earlier cell then no worker, its cluster would be needed for ever and the later one never created.
"""

from __future__ import annotations

from typing import Any

from xdist.scheduler import LoadScheduling  # type: ignore[import-untyped]
from xdist.workermanage import WorkerController  # type: ignore[import-untyped]

#: xdist gives a worker its next test before the last has ended: a worker has one to run and one in hand.
_IN_HAND = 2


class InOrder(LoadScheduling):  # type: ignore[misc]  # xdist ships no types
    """xdist's `load`, which puts the cells of a worker that died at the end; here they keep their place."""

    def __init__(self, *given: Any) -> None:  # noqa: ANN401 - handed on
        """Take back nothing yet."""
        super().__init__(*given)
        self._returned: set[int] = set()

    def check_schedule(self, node: WorkerController, duration: float = 0) -> None:
        """Give a worker its next cell when it has few; one that was taken back is for a worker with empty hands."""
        in_hand = len(self.node2pending[node])
        if self.pending and (in_hand >= _IN_HAND or (in_hand and self.pending[0] in self._returned)):
            return
        super().check_schedule(node, duration)

    def remove_node(self, node: WorkerController) -> str | None:
        """Take back the cells of a worker that is gone; return the one it was at, None when it had no more."""
        mine = self.node2pending.pop(node)
        if not mine or self.collection is None:
            return None
        crashed, *left = mine
        self.pending.extend(left)
        self.pending.sort()
        self._returned.update(left)
        for other in self.node2pending:
            self.check_schedule(other)
        return str(self.collection[crashed])
