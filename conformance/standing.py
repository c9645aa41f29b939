"""Which clusters stand side by side, and what is asked of their providers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from clusters import providers
from clusters.provider import BASIC_IMAGES, Capability, ClusterSpec, Hosts, Weighs
from conformance import money
from conformance.model import Cell, ClusterKey
from conformance.options import Request

_MEMINFO: Final = Path("/proc/meminfo")


def cluster_spec(run_id: str, key: ClusterKey, cells: Iterable[Cell], request: Request | None = None) -> ClusterSpec:
    """Return what is asked of a provider for a cluster of a run: what its cells need and nothing more."""
    builders = [cell.builder for cell in cells]
    return ClusterSpec(
        name=cluster_name(run_id, key),
        run_id=run_id,
        kubernetes=key.kubernetes,
        conditions=key.node.conditions,
        images=BASIC_IMAGES.union(*(builder.images for builder in builders)),
        features=frozenset[Capability]().union(*(builder.needs for builder in builders)),
        kubeconfig=Path(request.kubeconfig) if request is not None and request.kubeconfig else None,
        context=request.context if request is not None else "",
        lifetime=money.lifetime(request) if request is not None else None,
    )


def cluster_name(run_id: str, key: ClusterKey) -> str:
    """Return a name that derives from the run and is the cluster's alone."""
    return f"{run_id}-{key.name.replace('.', '-')}"


def why_impossible(key: ClusterKey) -> str | None:
    """Say in a few words why no such cluster can be here, e.g. `no AppArmor`, or None when one can."""
    provider = providers.find(key.provider)
    if isinstance(provider, Hosts):
        return provider.why_impossible(key.node.conditions)
    return None if key.node.is_default else f"{key.provider} gives nodes no conditions"


def split(keys: Iterable[ClusterKey]) -> tuple[tuple[ClusterKey, ...], tuple[ClusterKey, ...]]:
    """Return those of some clusters that take this machine's memory, and those that do not."""
    every = tuple(keys)
    here = tuple(key for key in every if _weight(key))
    return here, tuple(key for key in every if key not in here)


def side_by_side(keys: Sequence[ClusterKey], *, memory: int | None = None) -> int:
    """Return how many of some clusters on this machine stand at once: never none, and no more than memory allows.

    `memory` is in bytes; None: what is available now (`MemAvailable` of proc_meminfo(5)).
    """
    available = _available() if memory is None else memory
    heaviest = max((_weight(key) for key in keys), default=0)
    fits = available // heaviest if heaviest else len(keys)
    # More of them than processors would only make each other slow, and time limits short.
    return max(1, min(len(keys), fits, os.cpu_count() or 1))


def _weight(key: ClusterKey) -> int:
    known = [provider for name, provider in providers.PROVIDERS.items() if name == key.provider]
    return sum(provider.weight() for provider in known if isinstance(provider, Weighs))


def _available() -> int:
    for line in _MEMINFO.read_text().splitlines() if _MEMINFO.exists() else ():
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return int(value.split()[0]) * 1024
    return 0
