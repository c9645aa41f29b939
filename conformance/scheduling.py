"""Which cell goes to which worker: always the earliest of the plan, also after a worker has died.

Cells are ordered by cluster and not every cluster is up at once. A worker that was given a cell of a later cluster
waits for it; had an earlier cell then no worker, its cluster would be needed for ever and the later one never created.
"""

from __future__ import annotations

from xdist.scheduler import LoadScheduling  # type: ignore[import-untyped]
from xdist.workermanage import WorkerController  # type: ignore[import-untyped]


class InOrder(LoadScheduling):  # type: ignore[misc]  # xdist ships no types
    """xdist's `load`, which puts the cells of a worker that died at the end; here they keep their place."""

    def remove_node(self, node: WorkerController) -> str | None:
        """Take back the cells of a worker that is gone; return the one it was at, None when it had no more."""
        mine = self.node2pending.pop(node)
        if not mine or self.collection is None:
            return None
        crashed, *left = mine
        self.pending.extend(left)
        self.pending.sort()
        # The others have their next cell already; what was taken back is for the worker that takes the place.
        for other, pending in self.node2pending.items():
            if not pending:
                self.check_schedule(other)
        return str(self.collection[crashed])
