"""Who holds a lease: a process, told apart from a later one with the same pid by its start and the machine's boot."""

from __future__ import annotations

import os
from pathlib import Path

from clusters.provider import Lease

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> str:
    """Return the id of this boot of the machine, empty where the kernel does not tell."""
    return BOOT_ID.read_text().strip() if BOOT_ID.exists() else ""


def started(pid: int) -> float | None:
    """Return when a process started, in seconds after boot, or None when there is none (zombies count as none).

    Field 22 of proc_pid_stat(5): unlike times since the epoch it does not move when the clock is set.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the name in parentheses, which may itself hold spaces and parentheses.
    state, *rest = stat.rpartition(")")[2].split()
    if state in {"Z", "X"}:
        return None
    return int(rest[18]) / os.sysconf("SC_CLK_TCK")


def lease_of_this_process(*, provider: str, name: str, run_id: str, created: float) -> Lease:
    """Return a lease that the calling process holds."""
    pid = os.getpid()
    return Lease(
        provider=provider,
        name=name,
        run_id=run_id,
        created=created,
        pid=pid,
        pid_started=started(pid) or 0.0,
        boot=boot_id(),
    )


def is_alive(lease: Lease) -> bool:
    """Say whether the process that took the lease is still the one that runs."""
    return lease.boot == boot_id() and lease.pid > 0 and started(lease.pid) == lease.pid_started
