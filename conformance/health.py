"""Whether a cluster that is in use still works, as far as its provider can tell."""

from __future__ import annotations

from clusters import providers
from clusters.provider import Watches


def why_broken(provider_name: str, cluster_name: str) -> str | None:
    """Say in one line which component of a cluster died and how, or None while nothing is known to be wrong."""
    provider = providers.find(provider_name)
    said = provider.why_broken(cluster_name) if isinstance(provider, Watches) else None
    # What follows is the end of the component's log, which the run's folder has whole.
    return said.splitlines()[0].partition(";")[0] if said else None
