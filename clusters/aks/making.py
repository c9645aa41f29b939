"""Asking for a cluster and waiting until it is made.

The SDK's poller is not enough: it forgets a call whose answer was lost, gives up when the operation is forgotten, and
its `result(timeout)` returns as if all were well when the time is up. So the cluster itself is asked how it is.
"""

from __future__ import annotations

from typing import Any

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.core.polling import LROPoller
from azure.mgmt.containerservice.models import ManagedCluster

from clusters import waiting
from clusters.aks import failures
from clusters.aks.arm import Arm
from clusters.aks.limits import Limits
from clusters.aks.names import Names
from clusters.errors import TooSlowError

DOING = "make the cluster"


def make(arm: Arm, names: Names, body: dict[str, Any], limits: Limits) -> ManagedCluster:
    """Make the cluster in its resource group and return it. Raises AzureError, AzureRefusedError, TooSlowError."""
    problem: AzureError | None = None
    try:
        finish(_ask(arm, names, body, limits), limit=limits.cluster, what="Azure to make the cluster")
    except AzureError as error:
        # It may have been refused, or only its answer was lost: whether it is there tells.
        problem = error
    return waiting.until(
        lambda: _look(arm, names, problem),
        limit=limits.cluster,
        interval=limits.poll,
        what=f"cluster {names.cluster} to be made",
    )


def finish(poller: LROPoller[Any], *, limit: float, what: str) -> None:
    """Wait for an operation of Azure's. Raises what it ended with, TooSlowError when `limit` seconds have passed."""
    waiting.until(lambda: poller.done(), limit=limit, what=what)  # noqa: PLW0108 - its type is untold otherwise
    poller.wait(0)


def _ask(arm: Arm, names: Names, body: dict[str, Any], limits: Limits) -> LROPoller[ManagedCluster]:
    """Send the call, again while the part of Azure that gets it does not know the new resource group yet."""
    unknown: list[ResourceNotFoundError] = []

    def attempt() -> LROPoller[ManagedCluster] | None:
        try:
            return arm.clusters.begin_create_or_update(names.group, names.cluster, ManagedCluster(body))
        except ResourceNotFoundError as error:
            unknown.append(error)
            return None

    try:
        return waiting.until(
            attempt, limit=limits.consistency, interval=limits.poll, what=f"resource group {names.group} to be known"
        )
    except TooSlowError as error:
        if unknown:
            raise unknown[-1] from error
        raise


def _look(arm: Arm, names: Names, problem: AzureError | None) -> ManagedCluster | None:
    """Return the cluster once it is made, None while it is not. Raises `problem` when that is why it never will be."""
    try:
        found = arm.clusters.get(names.group, names.cluster)
    except HttpResponseError as error:
        if problem is not None:
            raise problem from error
        if isinstance(error, ResourceNotFoundError):
            # Accepted a moment ago, and not shown by every part of Azure yet.
            return None
        raise
    match found.properties.provisioning_state if found.properties is not None else None:
        case "Succeeded":
            return found
        case "Failed" | "Canceled" as state:
            raise _failure(found, state, problem)
        case _:
            return None


def _failure(found: ManagedCluster, state: str, problem: AzureError | None) -> Exception:
    status = found.properties.status if found.properties is not None else None
    reason = status.provisioning_error if status is not None else None
    if reason is not None and reason.code:
        return failures.failed(DOING, reason.code, reason.message or reason.code)
    return problem or failures.failed(DOING, state, f"the cluster became {state}")
