"""The clusters there are, as a table for people."""

from __future__ import annotations

import time

from clusters import holders, ledger, providers
from clusters.errors import ClustersError
from clusters.provider import Lease, Remembers, Serves

HEADINGS = ("NAME", "PROVIDER", "STATE", "NODE", "AGE", "HELD BY", "KUBECONFIG")


def lines() -> tuple[str, ...]:
    """Return a heading and a line for each lease; nothing when there are none."""
    leases = ledger.leases()
    if not leases:
        return ()
    rows = (HEADINGS, *map(_row, leases))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return tuple("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


def _row(lease: Lease) -> tuple[str, ...]:
    source = providers.PROVIDERS.get(lease.provider)
    age = f"{(time.time() - lease.created) / 60:.0f} min"
    seen = (_state(source, lease.name), _node(source, lease.name))
    return (lease.name, lease.provider, *seen, age, _holder(lease), _kubeconfig(source, lease.name))


def _holder(lease: Lease) -> str:
    if lease.kept:
        return "nobody: kept"
    return f"process {lease.pid}" + ("" if holders.is_alive(lease) else ", gone: janitor removes it")


def _state(source: object, name: str) -> str:
    return source.state(name) if isinstance(source, Serves) else "unknown"


def _node(source: object, name: str) -> str:
    found = source.conditions(name) if isinstance(source, Remembers) else None
    return found.describe() if found is not None else "unknown"


def _kubeconfig(source: object, name: str) -> str:
    try:
        return source.environment(name)["KUBECONFIG"] if isinstance(source, Serves) else ""
    except ClustersError:
        return ""
