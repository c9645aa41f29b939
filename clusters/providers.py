"""The one table of providers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rapidfuzz import process as fuzzy

from clusters.aks.provider import AksProvider
from clusters.eks.provider import EksProvider
from clusters.embedded.provider import EmbeddedProvider
from clusters.errors import UsageError
from clusters.existing.provider import ExistingProvider
from clusters.k3d import K3dProvider
from clusters.kind import KindProvider
from clusters.provider import Provider

PROVIDERS: Final[Mapping[str, Provider]] = {
    "embedded": EmbeddedProvider(),
    "kind": KindProvider(),
    "k3d": K3dProvider(),
    "eks": EksProvider(),
    "aks": AksProvider(),
    "existing": ExistingProvider(),
}

#: How alike two names must be, of 100, for one to be meant by the other.
ALIKE = 60


def find(name: str) -> Provider:
    """Return a provider. Raises UsageError that lists the choices and the nearest one."""
    if name in PROVIDERS:
        return PROVIDERS[name]
    nearest = fuzzy.extractOne(name, PROVIDERS.keys(), score_cutoff=ALIKE)
    meant = f" Did you mean {nearest[0]!r}?" if nearest is not None else ""
    raise UsageError(f"there is no provider {name!r}. Choose from: {', '.join(sorted(PROVIDERS))}.{meant}")
