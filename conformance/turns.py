"""Whose turn it is: most clusters stand side by side, some change the whole machine and must stand alone."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.model import ClusterKey
from conformance.waiting import pause


class Turns:
    """The clusters of a run, in the plan's order, which is that of their cells.

    None may overtake one that it must not stand beside: workers wait for the cells of the first.
    """

    def __init__(self, keys: Sequence[ClusterKey]) -> None:
        """Let nobody have begun yet."""
        self._keys = tuple(keys)
        self._ended: set[ClusterKey] = set()

    def wait_for(self, key: ClusterKey) -> None:
        """Wait until a cluster may be created. Raises KeyboardInterrupt when the run has been given up."""
        before = self._keys[: self._keys.index(key)]
        rivals = {other for other in before if stands_alone(key) or stands_alone(other)}
        while not rivals <= self._ended:
            pause()

    def end(self, key: ClusterKey) -> None:
        """Take note that nothing of a cluster is left, or that there never was any."""
        self._ended.add(key)


def stands_alone(key: ClusterKey) -> bool:
    """Say whether a cluster must not stand beside others of this machine.

    Emulators are registered with the kernel's binfmt_misc, which all of the machine's pods share.
    """
    return key.node.emulators
