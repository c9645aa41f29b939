"""Azure Resource Manager: the two clients of one subscription."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.mgmt.containerservice import ContainerServiceClient
from azure.mgmt.containerservice.operations import ManagedClustersOperations
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.resource.resources.models import ResourceGroup
from azure.mgmt.resource.resources.operations import ResourceGroupsOperations

from clusters.aks import signin
from clusters.aks.credentials import credential
from clusters.aks.limits import Limits
from clusters.aks.settings import Settings
from clusters.errors import UnavailableError


@dataclass(frozen=True, kw_only=True, slots=True)
class Arm:
    """What may be done to one subscription's resource groups and managed clusters. Methods raise AzureError."""

    groups: ResourceGroupsOperations
    clusters: ManagedClustersOperations

    def group(self, name: str) -> ResourceGroup | None:
        """Return a resource group, None when there is none."""
        try:
            return self.groups.get(name)
        except ResourceNotFoundError:
            return None


@contextmanager
def connected(settings: Settings, limits: Limits) -> Iterator[Arm]:
    """Hand out the clients while the block runs; nobody is asked before they are used. Raises UnavailableError."""
    way = signin.chosen(os.environ)
    missing = signin.NONE_FOUND if way is None else signin.why_unusable(way, os.environ)
    if way is None or missing is not None:
        raise UnavailableError(missing)
    identity = credential(way, limits)
    options: dict[str, Any] = {
        "base_url": settings.endpoint,
        "credential_scopes": [f"{settings.endpoint}/.default"],
        "polling_interval": limits.poll,
        "retry_backoff_factor": limits.backoff,
        "connection_timeout": limits.connect,
        "read_timeout": limits.answer,
    }
    try:
        with (
            ResourceManagementClient(identity, settings.subscription, **options) as resources,
            ContainerServiceClient(identity, settings.subscription, **options) as containers,
        ):
            yield Arm(groups=resources.resource_groups, clusters=containers.managed_clusters)
    finally:
        close = getattr(identity, "close", None)
        if close is not None:
            close()
