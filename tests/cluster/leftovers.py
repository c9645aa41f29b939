"""What a cluster has on this machine, and could leave behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from clusters import process
from clusters.docker import own_layout
from clusters.embedded import cgroups, layout
from clusters.embedded.layout import Layout, layout_of
from clusters.embedded.node import KUBELET_SYSCTLS


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """Everything on this machine that a cluster touches."""

    mounts: frozenset[str]
    interfaces: frozenset[str]
    groups: frozenset[Path]
    processes: frozenset[str]
    settings: tuple[str, ...]
    tables: str
    folders: frozenset[Path]


def look(ours: str) -> Machine:
    """Look for everything; of what other clusters on this machine may change meanwhile, only what is `ours`."""
    engines = (own_layout.INTERFACE_PREFIX, own_layout.PEER_PREFIX)
    foreign = (layout.INTERFACE_PREFIX, layout.PEER_PREFIX, *engines)
    engine = own_layout.own()
    own = {layout_of(ours).interface, layout_of(ours).peer, engine.interface, engine.peer}
    names = {path.name for path in Path("/sys/class/net").iterdir()}
    return Machine(
        mounts=frozenset(line for line in Path("/proc/self/mounts").read_text().splitlines() if ours in line),
        interfaces=frozenset(name for name in names if not name.startswith(foreign) or name in own),
        groups=frozenset(
            path for hierarchy in cgroups.mounted() for path in hierarchy.path.glob(f"*{ours}*") if path.is_dir()
        ),
        processes=frozenset(command for command in commands() if ours in command),
        settings=tuple(Path("/proc/sys", name).read_text() for name in KUBELET_SYSCTLS),
        tables=process.run(["nft", "list", "tables"]).stdout,
        folders=frozenset(
            path for folder in ("/var/lib", "/var/log", "/opt", "/run", "/etc") for path in Path(folder).iterdir()
        ),
    )


def commands() -> Iterator[str]:
    """Return the command line of every process."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue


def commands_in(found: Layout) -> Iterator[str]:
    """Return the command lines of a cluster's processes."""
    for pid in cgroups.pids(found.cgroup, cgroups.mounted()):
        try:
            yield Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue


def pid_outside(found: Layout, program: str) -> int:
    """Return the machine's pid of one of a cluster's programs."""
    pids = cgroups.pids(found.cgroup, cgroups.mounted())
    return next(pid for pid in pids if Path(f"/proc/{pid}/comm").read_text().strip() == program[:15])
