"""The leases of everything that may exist, in one file that is only ever appended to.

A row is written and on disk before the first changing call, another one after the last. Rows are JSON, one a line,
each written by one call, so that processes that append at the same time do not mix and a crash tears at most the end.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from clusters import holders, paths
from clusters.provider import Lease


class Row(BaseModel):
    """A line of the ledger."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    event: Literal["lease", "released"]
    provider: str
    name: str
    run_id: str = ""
    created: float = 0.0
    pid: int = 0
    pid_started: float = 0.0
    boot: str = ""
    kept: bool = False


def ledger_path() -> Path:
    """Return where the ledger is."""
    return paths.state_dir() / "leases.jsonl"


def take(lease: Lease) -> None:
    """Write that something may exist from now on; on disk when this returns."""
    _append(Row(event="lease", **dataclasses.asdict(lease)))


def keep(provider: str, name: str) -> None:
    """Write that a lease needs no holder any more: the janitor leaves it alone until it is deleted by name."""
    lease = find(provider, name)
    if lease is not None:
        take(dataclasses.replace(lease, kept=True))


def release(provider: str, name: str) -> None:
    """Write that nothing of it exists any more; nothing happens when there is no lease."""
    if find(provider, name) is not None:
        _append(Row(event="released", provider=provider, name=name))


def find(provider: str, name: str) -> Lease | None:
    """Return the lease of that name if it has not been released."""
    return next((lease for lease in leases(provider) if lease.name == name), None)


def is_held_here(provider: str, name: str) -> bool:
    """Say whether this very process holds that lease: what it may take back when a creation fails."""
    lease = find(provider, name)
    return lease is not None and not lease.kept and lease.pid == os.getpid() and holders.is_alive(lease)


def leases(provider: str | None = None) -> tuple[Lease, ...]:
    """Return what has been leased and not released, oldest first, of one provider or of all."""
    open_leases: dict[tuple[str, str], Lease] = {}
    for row in _rows():
        key = (row.provider, row.name)
        if row.event == "released":
            open_leases.pop(key, None)
        else:
            open_leases[key] = Lease(**row.model_dump(exclude={"event"}))
    return tuple(lease for lease in open_leases.values() if provider in {None, lease.provider})


def _rows() -> Iterator[Row]:
    try:
        lines = ledger_path().read_bytes().split(b"\n")
    except FileNotFoundError:
        return
    for line in lines:
        # A crash may have torn a line; the next row then starts on a line of its own, see _append.
        try:
            yield Row.model_validate_json(line)
        except ValidationError:
            continue


def _append(row: Row) -> None:
    path = ledger_path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        is_torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        os.write(descriptor, (b"\n" if is_torn else b"") + row.model_dump_json().encode() + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
