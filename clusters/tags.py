r"""The tags on everything that is made in a cloud: whose it is, which run made it, and when it may be removed.

The keys hold no `/`, `<`, `>`, `%`, `&`, `\` or `?`: Azure allows none of these in a tag's name.
"""

from __future__ import annotations

import datetime as dt
import getpass
import os
import re
import socket
from collections.abc import Mapping
from typing import Final

from clusters.errors import UsageError
from clusters.provider import ClusterSpec

CLUSTER: Final = "build-conformance-cluster"
RUN: Final = "build-conformance-run"
OWNER: Final = "build-conformance-owner"
EXPIRES: Final = "build-conformance-expires"

#: The label on every object in Kubernetes; its value is the run's id.
RUN_LABEL: Final = "build-conformance.dev/run"

#: Minutes a cloud cluster may live from the start of its creation, and the variable that says otherwise.
LIFETIME_MINUTES: Final = 180
LIFETIME_VARIABLE: Final = "BUILD_CONFORMANCE_LIFETIME_MINUTES"
OWNER_VARIABLE: Final = "BUILD_CONFORMANCE_OWNER"

_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"

#: A tag's value may be longer in both clouds, but people read these in narrow columns.
_OWNER_LENGTH: Final = 100


def lifetime() -> float:
    """Return how long a cloud cluster may live, in seconds. Raises UsageError when the variable holds no number."""
    text = os.environ.get(LIFETIME_VARIABLE) or str(LIFETIME_MINUTES)
    if not re.fullmatch(r"[1-9]\d{0,4}", text):
        raise UsageError(f"{LIFETIME_VARIABLE}={text}: give whole minutes, e.g. 90")
    return int(text) * 60.0


def of(spec: ClusterSpec, *, now: float) -> Mapping[str, str]:
    """Return the tags of everything that is made for a cluster; `now` is in seconds since the epoch."""
    return {CLUSTER: spec.name, RUN: spec.run_id, OWNER: owner(), EXPIRES: written(now + (spec.lifetime or lifetime()))}


def owner() -> str:
    """Say who answers for it: `BUILD_CONFORMANCE_OWNER`, or who runs this where."""
    named = os.environ.get(OWNER_VARIABLE) or f"{_user()}@{socket.gethostname()}"
    return re.sub(r"[^A-Za-z0-9 _.:=+@-]", "-", named)[:_OWNER_LENGTH]


def written(moment: float) -> str:
    """Return seconds since the epoch the way tags hold them: UTC, ISO 8601."""
    return dt.datetime.fromtimestamp(moment, tz=dt.UTC).strftime(_TIME)


def is_expired(found: Mapping[str, str], *, now: float) -> bool:
    """Say whether tags tell that their bearer's time is over; without a readable time it is not."""
    try:
        moment = dt.datetime.strptime(found.get(EXPIRES, ""), _TIME).replace(tzinfo=dt.UTC)
    except ValueError:
        return False
    return moment.timestamp() < now


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container's user need not have a name.
        return str(os.getuid())
