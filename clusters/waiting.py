"""The only place of `clusters` that waits: a check, a limit in seconds, and a word for what is waited for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from clusters import interrupts
from clusters.errors import TooSlowError

T = TypeVar("T")

#: Seconds between two looks: short against what is waited for, long against what a look costs.
INTERVAL = 0.05


def until(check: Callable[[], T | None], *, limit: float, what: str, interval: float = INTERVAL) -> T:
    """Call `check` until it returns something other than None or False and return that.

    `limit` and `interval` are seconds. Raises TooSlowError that names `what` when the limit has passed; whatever
    `check` raises ends the waiting at once.
    """

    def look() -> T | None:
        interrupts.check()
        return check()

    retrying = Retrying(
        retry=retry_if_result(lambda value: value is None or value is False),
        stop=stop_after_delay(limit),
        wait=wait_fixed(interval),
    )
    try:
        value = retrying(look)
    except RetryError as error:
        raise TooSlowError(what, limit) from error
    if value is None:
        raise TooSlowError(what, limit)
    return value
