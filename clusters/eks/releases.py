"""Removing one thing: gone already is as good, and what something else still holds is waited for."""

from __future__ import annotations

from collections.abc import Callable

from clusters.eks import waiters
from clusters.eks.aws import Service
from clusters.eks.faults import AwsError
from clusters.eks.pace import Pace


def release(
    service: Service,
    operation: str,
    what: str,
    pace: Pace,
    *,
    holders: Callable[[], str] = lambda: "",
    **arguments: object,
) -> None:
    """Call an operation that removes or detaches `what`, again and again while AWS says that it is in use.

    `holders` is asked who holds it when that takes too long. Raises AwsError, AwsTooSlowError.
    """
    last = ""

    def is_done() -> bool:
        nonlocal last
        try:
            service(operation, **arguments)
        except AwsError as error:
            if error.is_busy:
                last = f"{error.code}: {error.answer}"
                return False
            if not error.is_gone:
                raise
        return True

    waiters.until(
        is_done,
        limit=pace.release,
        interval=pace.interval,
        what=f"{operation} of {what}",
        why=lambda: "; ".join(filter(None, [last, holders()])),
    )
