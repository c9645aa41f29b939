"""Emulators: the kernel runs programs of foreign architectures by binfmt_misc (Documentation/admin-guide/binfmt-misc).

Which formats it knows belongs to a user namespace (since Linux 6.7, to the machine before that), and pods run in this
machine's or in children of it. So a registration is the whole machine's while the cluster is there; it bears the
cluster's name and goes with it.
"""

from __future__ import annotations

import platform
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clusters import process
from clusters.embedded.layout import EMULATOR_PREFIX, Layout
from clusters.embedded.orders import Emulator
from clusters.embedded.requirements import PROGRAM_PATH
from clusters.embedded.timeouts import TIMEOUTS

FILE_SYSTEM: Final = "binfmt_misc"

#: P: it is told the name it was called by; O and C: the kernel opens the program and minds its set-user-id bits;
#: F: the emulator is opened now, so that it need not be in any image.
FLAGS: Final = "POCF"


@dataclass(frozen=True, kw_only=True, slots=True)
class Foreign:
    """An architecture as Linux names it: the program that emulates it, and how its ELF files begin (mask, magic)."""

    program: str
    magic: bytes
    mask: bytes


# The start of an executable or shared object, class 64, little endian, whatever ABI: as qemu's qemu-binfmt-conf.sh.
_MASK: Final = bytes.fromhex("ffffffffffffff00fffffffffffffffffeffffff")
_BEGIN: Final = bytes.fromhex("7f454c460201010000000000000000000200")

#: By the machine's own architecture (`uname -m`): what is foreign there and can be run.
FOREIGN: Final[Mapping[str, Foreign]] = {
    "x86_64": Foreign(program="qemu-aarch64", magic=_BEGIN + b"\xb7\x00", mask=_MASK),
    "aarch64": Foreign(program="qemu-x86_64", magic=_BEGIN + b"\x3e\x00", mask=_MASK),
}

# /run is only the place that every machine has: the mount is seen by this shell alone and goes with it.
_MOUNTED: Final = f"mount -t {FILE_SYSTEM} {FILE_SYSTEM} /run && cd /run && "


def programs() -> tuple[str, ...]:
    """Return the toolchain's names of the emulators for this machine."""
    return tuple(found.program for found in _foreign())


def wanted(layout: Layout) -> tuple[Emulator, ...]:
    """Return what is to be registered for a cluster."""
    return tuple(
        Emulator(name=_name(layout, found), rule=_rule(_name(layout, found), found, layout.programs / found.program))
        for found in _foreign()
    )


def why_unavailable() -> str | None:
    """Say in a few words why no program of a foreign architecture can run here, or None when one can."""
    if not _foreign():
        return f"no emulators for a machine of architecture {platform.machine()}"
    if not _is_known() and shutil.which("modprobe", path=PROGRAM_PATH) is not None:
        process.run(["modprobe", FILE_SYSTEM], check=False, timeout=TIMEOUTS.command)
    return None if _is_known() else "no binfmt_misc in this kernel (CONFIG_BINFMT_MISC)"


def register(emulators: tuple[Emulator, ...], folder: Path) -> None:
    """Register emulators where the file system is mounted; one of that name is replaced. Raises OSError."""
    for emulator in emulators:
        left = folder / emulator.name
        if left.exists():
            left.write_text("-1")
        (folder / "register").write_bytes(emulator.rule.encode("latin-1"))


def unregister(layout: Layout) -> None:
    """Take back what a cluster registered; nothing there is no error. Raises ClustersError."""
    for name in registered():
        if name.startswith(f"{EMULATOR_PREFIX}{layout.digest}-"):
            # The kernel forgets it by itself with the cluster's namespaces, perhaps just now.
            _ask('[ ! -e "$1" ] || echo -1 > "$1" || [ ! -e "$1" ]', name)


def registered() -> tuple[str, ...]:
    """Return the names of all registrations of ours on this machine."""
    # Without the file system in the kernel nothing can be registered, and mounting would load it.
    found = _ask("ls").split() if _is_known() else []
    return tuple(name for name in found if name.startswith(EMULATOR_PREFIX))


def _ask(command: str, *arguments: str) -> str:
    """Run a shell command in a directory that shows the file system, without mounting it for anybody else."""
    argv = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _MOUNTED + command, "sh", *arguments]
    return process.run(argv, timeout=TIMEOUTS.command).stdout


def _is_known() -> bool:
    return f"\t{FILE_SYSTEM}\n" in Path("/proc/filesystems").read_text()


def _foreign() -> tuple[Foreign, ...]:
    found = FOREIGN.get(platform.machine())
    return () if found is None else (found,)


def _name(layout: Layout, foreign: Foreign) -> str:
    return f"{EMULATOR_PREFIX}{layout.digest}-{foreign.program}"


def _rule(name: str, foreign: Foreign, interpreter: Path) -> str:
    """Return the line that the kernel's `register` takes."""
    magic, mask = ("".join(f"\\x{byte:02x}" for byte in text) for text in (foreign.magic, foreign.mask))
    return f":{name}:M::{magic}:{mask}:{interpreter}:{FLAGS}"
