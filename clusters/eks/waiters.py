"""Waiting for AWS: a look, how often, how long, and words that do not blame this machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from clusters import waiting
from clusters.errors import ClustersError, TooSlowError

T = TypeVar("T")


class AwsTooSlowError(ClustersError):
    """Something in AWS did not come about in time."""


def until(
    look: Callable[[], T | None], *, limit: float, interval: float, what: str, why: Callable[[], str] = lambda: ""
) -> T:
    """Look every `interval` seconds until there is something, at most `limit` seconds.

    Raises AwsTooSlowError that says `what` was waited for and `why` it may be missing; what `look` raises ends it.
    """
    try:
        return waiting.until(look, limit=limit, what=what, interval=interval)
    except TooSlowError as error:
        reason = why()
        raise AwsTooSlowError(
            f"{what}: not after {limit:g} s{': ' + reason if reason else ''}. "
            "AWS may have trouble in that region (https://health.aws.amazon.com): try again, or use another region"
        ) from error
