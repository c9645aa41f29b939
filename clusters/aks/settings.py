"""What users set: which subscription pays, where, and which machines. All of it comes from the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from clusters.aks.names import PROVIDER
from clusters.errors import UnavailableError, UsageError
from clusters.prices import price_of

#: The name that Azure's own tools use.
SUBSCRIPTION: Final = "AZURE_SUBSCRIPTION_ID"
REGION: Final = "BUILD_CONFORMANCE_AKS_REGION"
MACHINE: Final = "BUILD_CONFORMANCE_AKS_MACHINE"
#: `Ubuntu`, `AzureLinux` or another osSKU of the agent pool API.
SYSTEM: Final = "BUILD_CONFORMANCE_AKS_OS_SKU"
#: Base URL of Azure Resource Manager, for other clouds than the public one.
ENDPOINT: Final = "BUILD_CONFORMANCE_AZURE_ENDPOINT"

PUBLIC_ENDPOINT: Final = "https://management.azure.com"
#: The Resource Managers that are Azure: whatever else answers only simulates it.
#: https://learn.microsoft.com/azure/azure-government/compare-azure-government-global-azure
ENDPOINTS: Final = frozenset(
    {PUBLIC_ENDPOINT, "https://management.usgovcloudapi.net", "https://management.chinacloudapi.cn"}
)

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_WORD: Final = re.compile(r"[A-Za-z0-9_]+")

WHERE_SUBSCRIPTION: Final = (
    f"{SUBSCRIPTION} is not set: choose a subscription of its own for this, so that a mistake stays small, "
    "and take its id from `az account list --output table`"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Where a cluster is made and of what; `endpoint` is the base URL of Azure Resource Manager."""

    subscription: str
    region: str
    machine: str
    system: str
    endpoint: str

    @property
    def is_azure(self) -> bool:
        """Say whether it is Azure that answers there, and not something that imitates it."""
        return self.endpoint in ENDPOINTS

    def of_subscription(self, subscription: str, endpoint: str) -> Settings:
        """Return the same settings for the subscription that a cluster was made in."""
        return replace(self, subscription=subscription, endpoint=endpoint)


def read(environ: Mapping[str, str], *, subscription: str | None = None) -> Settings:
    """Return what the environment says; `subscription` is taken where it names none.

    Raises UnavailableError when nothing names a subscription, UsageError for values that Azure would not take.
    """
    price = price_of(PROVIDER)
    chosen = environ.get(SUBSCRIPTION) or subscription
    if not chosen:
        raise UnavailableError(WHERE_SUBSCRIPTION)
    if _UUID.fullmatch(chosen) is None:
        raise UsageError(f"{SUBSCRIPTION}={chosen} is no subscription id: `az account list --output table` shows them")
    endpoint = (environ.get(ENDPOINT) or PUBLIC_ENDPOINT).rstrip("/")
    if not endpoint.startswith("https://"):
        raise UsageError(f"{ENDPOINT}={endpoint}: tokens are sent over https alone")
    return Settings(
        subscription=chosen,
        region=_word(environ, REGION, price.region if price else "westeurope"),
        machine=_word(environ, MACHINE, price.node if price else "Standard_D2s_v5"),
        system=_word(environ, SYSTEM, "Ubuntu"),
        endpoint=endpoint,
    )


def _word(environ: Mapping[str, str], variable: str, default: str) -> str:
    value = environ.get(variable) or default
    if _WORD.fullmatch(value) is None:
        raise UsageError(f"{variable}={value}: letters, digits and '_' alone, e.g. {default}")
    return value
