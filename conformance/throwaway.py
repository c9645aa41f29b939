"""A cluster for the length of a block: prepared, created, handed over, deleted."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from clusters import interrupts, paths, providers
from clusters.errors import ClustersError
from clusters.provider import Cluster, ClusterSpec, Prepares, Progress, Provider
from conformance.errors import ConformanceError


def prepare(provider_name: str, spec: ClusterSpec, say: Progress) -> None:
    """Build and fetch what such a cluster needs. Raises ClustersError."""
    provider = providers.find(provider_name)
    if isinstance(provider, Prepares):
        provider.prepare(spec, say)


def spec_of(line: str, name: str = "preparation") -> ClusterSpec:
    """Return what is asked of a provider for a plain cluster of a Kubernetes line."""
    return ClusterSpec(name=name, run_id=name, kubernetes=line)


@contextmanager
def cluster(provider_name: str, line: str, say: Progress, *, purpose: str) -> Iterator[Cluster]:
    """Give a cluster that is deleted whatever happens; `purpose` is part of its name.

    Raises ClustersError when it cannot be created, ConformanceError when it cannot be deleted.
    """
    provider = providers.find(provider_name)
    name = f"{purpose}-{secrets.token_hex(4)}"
    try:
        yield _create(provider, spec_of(line, name), say)
    except BaseException:
        # What went wrong first is what is told.
        if (failure := _delete(provider, name)) is not None:
            say(failure)
        raise
    if (failure := _delete(provider, name)) is not None:
        raise ConformanceError(failure)


def _create(provider: Provider, spec: ClusterSpec, say: Progress) -> Cluster:
    try:
        return provider.create(spec, say)
    except ClustersError:
        folder = paths.state_dir() / "failed" / spec.name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            provider.collect_logs(spec.name, folder)
            say(f"its logs were copied to {folder}")
        except (ClustersError, OSError) as error:
            say(f"its logs could not be collected: {error}")
        raise


def _delete(provider: Provider, name: str) -> str | None:
    with interrupts.held_back():
        try:
            provider.delete(name)
        except ClustersError as error:
            return f"cluster {name} may not be gone: {error}\nRun `uv run python -m clusters janitor`."
    return None
