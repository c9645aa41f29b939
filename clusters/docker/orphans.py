"""Ends what still works on a cluster although whoever started it is gone: it would go on making things."""

from __future__ import annotations

import os

import psutil

from clusters import waiting
from clusters.docker.places import MARK_VARIABLE, Place
from clusters.docker.timeouts import TIMEOUTS


def end(place: Place) -> None:
    """Kill the programs that were started for a cluster, and theirs, until none is left. Raises TooSlowError."""
    waiting.until(lambda: not _kill(place), limit=TIMEOUTS.removal, what=f"what works on {place.name} to end")


def find(place: Place) -> tuple[psutil.Process, ...]:
    """Return the processes of this machine that carry the cluster's mark, ourselves aside."""
    found = []
    for candidate in psutil.process_iter():
        try:
            if candidate.pid != os.getpid() and candidate.environ().get(MARK_VARIABLE) == place.mark:
                found.append(candidate)
        except (psutil.Error, OSError):
            continue
    return tuple(found)


def _kill(place: Place) -> bool:
    victims = [victim for victim in find(place) if victim.status() != psutil.STATUS_ZOMBIE]
    for victim in victims:
        try:
            victim.kill()
        except psutil.Error:
            continue
    return bool(victims)
