"""Removes what killed runs left: leases whose holder is gone, through their provider, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from clusters import holders, ledger
from clusters.errors import ClustersError
from clusters.provider import FindsLeftovers, Lease, Leftover, Provider


class Fate(StrEnum):
    """What became of something that was found."""

    REMOVED = "removed"
    WOULD_REMOVE = "would remove"
    LEFT_ALONE = "left alone"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """Something that was found: `what` it is, what became of it, and `why`."""

    provider: str
    what: str
    fate: Fate
    why: str


def sweep(
    providers: Mapping[str, Provider], *, only: str | None = None, dry_run: bool = False, everything: bool = False
) -> tuple[Finding, ...]:
    """Remove what nobody holds any more, and report all that was found; `only` looks at one provider's leases.

    With `everything`, clusters that are kept until somebody deletes them go too, and traces without a lease. What a
    living process holds is never touched. With `dry_run` nothing is. Never raises for one that will not go.
    """
    swept = [_sweep_lease(providers, lease, dry_run=dry_run, everything=everything) for lease in ledger.leases(only)]
    strays = [
        _sweep_stray(providers, stray, dry_run=dry_run, everything=everything)
        for provider in providers.values()
        for stray in _leftovers(provider)
    ]
    return (*swept, *strays)


def _sweep_lease(providers: Mapping[str, Provider], lease: Lease, *, dry_run: bool, everything: bool) -> Finding:
    what = f"cluster {lease.name}"
    if lease.kept and not everything:
        why = "kept until it is deleted by name"
        return Finding(provider=lease.provider, what=what, fate=Fate.LEFT_ALONE, why=why)
    if not lease.kept and holders.is_alive(lease):
        why = f"process {lease.pid} holds it (run {lease.run_id})"
        return Finding(provider=lease.provider, what=what, fate=Fate.LEFT_ALONE, why=why)
    why = "everything was asked for" if lease.kept else f"its holder, process {lease.pid}, is gone (run {lease.run_id})"
    return _remove(providers, lease.provider, lease.name, what=what, why=why, dry_run=dry_run)


def _sweep_stray(providers: Mapping[str, Provider], stray: Leftover, *, dry_run: bool, everything: bool) -> Finding:
    if stray.name is not None and everything:
        return _remove(providers, stray.provider, stray.name, what=stray.what, why="it has no lease", dry_run=dry_run)
    why = "it has no lease (--all removes it)" if stray.name is not None else "it has no lease and no folder here"
    return Finding(provider=stray.provider, what=stray.what, fate=Fate.LEFT_ALONE, why=why)


def _remove(
    providers: Mapping[str, Provider], provider: str, name: str, *, what: str, why: str, dry_run: bool
) -> Finding:
    if provider not in providers:
        why = f"this version has no provider {provider!r}"
        return Finding(provider=provider, what=what, fate=Fate.FAILED, why=why)
    if dry_run:
        return Finding(provider=provider, what=what, fate=Fate.WOULD_REMOVE, why=why)
    try:
        providers[provider].delete(name)
    except (ClustersError, OSError) as error:
        return Finding(provider=provider, what=what, fate=Fate.FAILED, why=str(error))
    ledger.release(provider, name)
    return Finding(provider=provider, what=what, fate=Fate.REMOVED, why=why)


def _leftovers(provider: Provider) -> tuple[Leftover, ...]:
    return provider.find_leftovers() if isinstance(provider, FindsLeftovers) else ()
