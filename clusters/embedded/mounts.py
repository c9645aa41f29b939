"""Mounts inside the cluster's own mount namespace, by mount(2): no program is started for them."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from pathlib import Path

from clusters.embedded.orders import Mount

# mount(2), <sys/mount.h>
MS_BIND = 4096
MS_REC = 16384
MS_SHARED = 1 << 20


def arrange(mounts: Iterable[Mount], visible: Iterable[Path]) -> None:
    """Cover host folders with private ones and bring back the `visible` paths that this would hide. Raises OSError."""
    _mount("none", Path("/"), flags=MS_SHARED | MS_REC)
    # Handles taken now reach a path even when its parents are covered later.
    sources = {mount: None if mount.source is None else _handle(mount.source) for mount in mounts}
    kept = {path: _handle(path) for path in visible if any(path.is_relative_to(mount.target) for mount in sources)}
    for mount, source in sources.items():
        if source is None:
            _mount("tmpfs", mount.target, kind="tmpfs", data="mode=0755")
        else:
            _mount(f"/proc/self/fd/{source}", mount.target, flags=MS_BIND)
        # containerd and the kubelet must see each other's mounts below.
        _mount("none", mount.target, flags=MS_SHARED)
    for path, handle in kept.items():
        path.mkdir(parents=True, exist_ok=True)
        _mount(f"/proc/self/fd/{handle}", path, flags=MS_BIND | MS_REC)
    for descriptor in (*sources.values(), *kept.values()):
        if descriptor is not None:
            os.close(descriptor)


def add_uncovered_proc(target: Path) -> None:
    """Mount a second procfs that nothing covers. Raises OSError.

    Where files of `/proc` are covered, as ours are, the kernel refuses procfs to pods with a user namespace of their
    own ("mount_too_revealing"), unless an uncovered one is somewhere in the mount namespace.
    """
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    _mount("proc", target, kind="proc")


def add_binfmt_misc(target: Path) -> None:
    """Mount the file system in which emulators are registered. Raises OSError."""
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    _mount("binfmt_misc", target, kind="binfmt_misc")


def _handle(path: Path) -> int:
    return os.open(path, os.O_PATH | os.O_CLOEXEC)


def _mount(source: str, target: Path, *, kind: str = "none", flags: int = 0, data: str = "") -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    words = [word.encode() for word in (source, str(target), kind)]
    if libc.mount(*words, ctypes.c_ulong(flags), data.encode()) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"mounting {source} failed: {os.strerror(number)}", str(target))
