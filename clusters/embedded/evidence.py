"""Whatever tells why a cluster is as it is: copied into a folder, from half-made ones too, without any key."""

from __future__ import annotations

import shutil
from pathlib import Path

from clusters import process
from clusters.embedded import description, removal
from clusters.embedded.layout import Layout
from clusters.embedded.timeouts import TIMEOUTS

#: Lines of the kernel's log: out-of-memory kills, refused mounts.
DMESG_LINES = 300


def collect(layout: Layout, into: Path) -> None:
    """Copy logs, status, record and configuration, and write the kernel's last lines and the state of processes."""
    into.mkdir(parents=True, exist_ok=True)
    for folder in (layout.logs, layout.config, layout.var_log / "pods"):
        if folder.is_dir():
            _copy(folder, into / folder.name)
    for file in (layout.status, layout.record, layout.supervisor_spec):
        if file.is_file():
            shutil.copy2(file, into / file.name)
    state = description.state(layout) if layout.root.is_dir() else "there is no such cluster"
    broken = description.why_broken(layout) if layout.root.is_dir() else None
    (into / "state.txt").write_text("\n".join(filter(None, [state, broken])) + "\n")
    kernel = process.run(["dmesg"], check=False, timeout=TIMEOUTS.command)
    lines = (kernel.stdout or kernel.stderr).splitlines()[-DMESG_LINES:]
    (into / "dmesg.txt").write_text("\n".join(lines) + "\n")
    inside = removal.namespace_pid(layout)
    if inside is not None:
        table = process.run(
            ["nsenter", "--target", str(inside), "--pid", "--mount", "ps", "-eo", "pid,ppid,stat,etime,args"],
            check=False,
            timeout=TIMEOUTS.command,
        )
        (into / "processes.txt").write_text(table.stdout + table.stderr)


def _copy(folder: Path, into: Path) -> None:
    """Copy a folder that is still written to: what goes away meanwhile is left out and named."""
    try:
        shutil.copytree(folder, into, dirs_exist_ok=True, ignore_dangling_symlinks=True)
    except shutil.Error as error:
        (into / "left-out.txt").write_text(f"{error}\n")
