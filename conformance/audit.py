"""After the last deletion: what the run's providers still have of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from clusters import providers
from clusters.errors import ClustersError
from clusters.provider import FindsLeftovers, Provider


def remains(run_id: str, used: Iterable[str]) -> tuple[str, ...]:
    """Ask each provider that a run used what is left of it, and return a sentence for each trace.

    Clusters that are kept on purpose are none. A provider that cannot be asked is a trace: nobody knows what it has.
    """
    return tuple(
        f"left by this run: {name} {what}\nRun `uv run conformance janitor --provider {name}`."
        for name in used
        for what in _traces(run_id, providers.find(name))
    )


def _traces(run_id: str, provider: Provider) -> Iterator[str]:
    try:
        for lease in provider.list_leases():
            if lease.run_id == run_id and not lease.kept:
                yield f"cluster {lease.name}"
        for found in provider.find_leftovers() if isinstance(provider, FindsLeftovers) else ():
            # Names of clusters begin with the run's id, and so does whatever is named after them.
            if run_id in (found.name or "") or run_id in found.what:
                yield found.what
    except (ClustersError, OSError) as error:
        yield f"cannot be asked what it still has: {error}"
