"""Resource groups of ours that nobody here knows of, found by their tags and by the names of nodes' groups."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from azure.mgmt.resource.resources.models import ResourceGroup

from clusters import tags
from clusters.aks.arm import Arm
from clusters.aks.names import NAME, PROVIDER, cluster_of_nodes, names_of
from clusters.provider import Leftover


def find(arm: Arm, leased: Collection[str], *, now: float) -> tuple[Leftover, ...]:
    """Return what no lease here explains; `leased` are names, `now` seconds since the epoch. Raises AzureError.

    What has not expired belongs to a run elsewhere: it is told and has no name, so that nobody removes it by mistake.
    """
    groups = {str(group.name).lower(): group for group in arm.groups.list()}
    tagged = {name: group for group in groups.values() if (name := _cluster_of(group)) is not None}
    strays = (_stray(name, group, now=now) for name, group in sorted(tagged.items()) if name not in leased)
    return (*strays, *_orphans(groups, leased))


def _cluster_of(group: ResourceGroup) -> str | None:
    """Return the cluster that a resource group says it is; a copied tag on another group does not count."""
    name = (group.tags or {}).get(tags.CLUSTER, "")
    if not NAME.fullmatch(name) or names_of(name).group != str(group.name).lower():
        return None
    return name


def _stray(name: str, group: ResourceGroup, *, now: float) -> Leftover:
    found = group.tags or {}
    is_expired = tags.is_expired(found, now=now)
    until = f"{'expired at' if is_expired else 'may live until'} {found.get(tags.EXPIRES, 'no known time')}"
    what = f"resource group {group.name} of run {found.get(tags.RUN, '?')}, owner {found.get(tags.OWNER, '?')}, {until}"
    return Leftover(provider=PROVIDER, what=what, name=name if is_expired else None)


def _orphans(groups: Mapping[str, ResourceGroup], leased: Collection[str]) -> Iterator[Leftover]:
    """Yield nodes' groups whose cluster is gone: AKS removes them, unless something broke."""
    for group in sorted(groups):
        name = cluster_of_nodes(group)
        if name is not None and name not in leased and names_of(name).group not in groups:
            yield Leftover(provider=PROVIDER, what=f"resource group {group}, left by its cluster", name=name)
