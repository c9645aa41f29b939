"""What things of a cluster are called in Azure: all follows from the cluster's name, so nothing is remembered."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from clusters.errors import UsageError

PROVIDER: Final = "aks"

#: Begins the name of every resource group of ours.
PREFIX: Final = "build-conformance-"
_NODES: Final = "-nodes"

#: A cluster's name is also its DNS prefix (at most 54 characters); a node resource group has at most 80.
#: https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,48}[a-z0-9])?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Names:
    """The names of one cluster's things."""

    cluster: str

    @property
    def group(self) -> str:
        """Return the resource group that holds everything, and whose deletion deletes everything."""
        return f"{PREFIX}{self.cluster}"

    @property
    def nodes(self) -> str:
        """Return the resource group in which AKS keeps machines, disks and addresses; AKS makes and removes it."""
        return f"{self.group}{_NODES}"


def names_of(cluster: str) -> Names:
    """Return the names of a cluster's things. Raises UsageError for a name that Azure would not take."""
    if NAME.fullmatch(cluster) is None:
        raise UsageError(
            f"{cluster!r} cannot name a cluster: use up to 50 lower case letters, digits and '-', "
            "beginning and ending with a letter or digit"
        )
    return Names(cluster=cluster)


def cluster_of_nodes(group: str) -> str | None:
    """Return the name of the cluster whose node resource group would be called so, None for any other group."""
    cluster = group.removeprefix(PREFIX).removesuffix(_NODES)
    return cluster if NAME.fullmatch(cluster) and names_of(cluster).nodes == group else None
