"""Deletes what bears a cluster's name: one call for its resource group, which goes on in Azure without us.

Nothing is remembered from the creation, so a creation that failed, one that was killed and a cluster of yesterday all
go the same way.
"""

from __future__ import annotations

import time

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError, ServiceResponseError
from azure.mgmt.resource.resources.models import ResourceGroup

from clusters import tags, waiting
from clusters.aks import failures
from clusters.aks.arm import Arm
from clusters.aks.limits import Limits
from clusters.aks.making import finish
from clusters.aks.names import Names
from clusters.errors import ClustersError, TooSlowError

#: Answers that no second try makes better.
_FINAL = frozenset({"ScopeLocked", "AuthorizationFailed", "LinkedAuthorizationFailed", "RequestDisallowedByPolicy"})


def remove(arm: Arm, names: Names, limits: Limits, *, was_begun: bool) -> None:
    """Return when nothing of a cluster is left. Raises ClustersError, and what was begun then goes on in Azure.

    `was_begun` says that somebody took a lease: nothing being there may then mean that a call is still on its way.
    """
    had_any = _remove_all(arm, names, limits)
    if had_any or not was_begun:
        return
    try:
        waiting.until(
            lambda: _is_there(arm, names), limit=limits.settle, interval=limits.poll, what="late calls to arrive"
        )
    except TooSlowError:
        return
    _remove_all(arm, names, limits)


def _remove_all(arm: Arm, names: Names, limits: Limits) -> bool:
    """Remove both groups; say whether there was one. AKS removes the nodes' itself unless something broke."""
    with failures.explained(f"delete cluster {names.cluster}"):
        had_group = _remove_group(arm, names.group, names, limits)
        had_nodes = _remove_group(arm, names.nodes, names, limits)
    return had_group or had_nodes


def _is_there(arm: Arm, names: Names) -> bool:
    with failures.explained(f"look for cluster {names.cluster}"):
        return arm.group(names.group) is not None or arm.group(names.nodes) is not None


def _remove_group(arm: Arm, group: str, names: Names, limits: Limits) -> bool:
    found = arm.group(group)
    if found is None:
        return False
    _require_ours(found, names)
    end = time.monotonic() + limits.removal
    said: list[AzureError] = []

    def is_gone() -> bool:
        now = arm.group(group)
        if now is None:
            return True
        if now.properties is None or now.properties.provisioning_state != "Deleting":
            _ask(arm, group, said, limit=max(0.0, end - time.monotonic()))
            return arm.group(group) is None
        return False

    try:
        waiting.until(is_gone, limit=limits.removal, interval=limits.poll, what=f"resource group {group} to be gone")
    except TooSlowError as error:
        last = f" Azure's last word: {failures.explain(said[-1], 'delete it')}" if said else ""
        raise ClustersError(
            f"resource group {group} was still there after {limits.removal:g} s; its deletion goes on in Azure.{last}\n"
            "Run `python -m clusters janitor` in some minutes: it costs money while it is there."
        ) from error
    return True


def _ask(arm: Arm, group: str, said: list[AzureError], *, limit: float) -> None:
    """Ask for the deletion once and wait for it; what goes wrong for a while is only noted."""
    try:
        finish(arm.groups.begin_delete(group), limit=limit, what=f"resource group {group} to be deleted")
    except ResourceNotFoundError:
        return
    except (HttpResponseError, ServiceResponseError) as error:
        if failures.explain(error, "delete it").code in _FINAL:
            raise
        said.append(error)


def _require_ours(found: ResourceGroup, names: Names) -> None:
    """Raise ClustersError for a group that only happens to be called so: a deletion cannot be taken back."""
    if found.name is not None and found.name.lower() == names.group.lower():
        ours = (found.tags or {}).get(tags.CLUSTER) == names.cluster
    else:
        # AKS makes the nodes' group and says which resource manages it.
        ours = not found.managed_by or f"/resourcegroups/{names.group}/" in found.managed_by.lower()
    if not ours:
        raise ClustersError(
            f"resource group {found.name} is not deleted: its tags do not say that it is cluster {names.cluster} of "
            f"ours. If nobody needs it: az group delete --name {found.name}"
        )
