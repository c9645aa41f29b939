"""Which architectures' programs a node runs, by running one of each: the shell of a canary writes them itself."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Final

#: What every program ends with: no shell that gives up on a file of a strange format ends like that.
_CODE: Final = 42

#: By Kubernetes' name of an architecture: the ELF machine (elf.h) and the instructions of `exit(42)`.
_PROGRAMS: Final[Mapping[str, tuple[int, bytes]]] = {
    # mov edi, 42; mov eax, 60; syscall
    "amd64": (62, bytes.fromhex("bf2a000000 b83c000000 0f05")),
    # mov x0, #42; mov x8, #93; svc #0
    "arm64": (183, bytes.fromhex("400580d2 a80b80d2 010000d4")),
}

#: Where programs are loaded to, and what that has to be a multiple of on every architecture: the largest page.
_ADDRESS: Final = 0x400000
_ALIGNMENT: Final = 0x10000

#: Bytes of the file's header and of its one program header, elf(5).
_HEADER, _SEGMENT = 64, 56


def script(folder: str = "/tmp") -> str:  # noqa: S108 - in a canary, whose whole life this is
    """Return shell lines that print the architectures whose programs run here, one a line, the node's own too.

    The programs are written to `folder`.
    """
    return "\n".join(_lines(architecture, folder) for architecture in sorted(_PROGRAMS))


def emulated(output: str, native: str) -> tuple[str, ...] | None:
    """Return the foreign architectures among those printed; None when not even the native program ran."""
    ran = output.split()
    return tuple(sorted(set(ran) - {native})) if native in ran else None


def program(architecture: str) -> bytes:
    """Return a static program that does nothing but end."""
    machine, code = _PROGRAMS[architecture]
    start = _HEADER + _SEGMENT
    size = start + len(code)
    # 64 bits, little endian; an executable; no sections.
    ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    header = ident + struct.pack(
        "<HHIQQQIHHHHHH", 2, machine, 1, _ADDRESS + start, _HEADER, 0, 0, _HEADER, _SEGMENT, 1, 0, 0, 0
    )
    # One segment, to be loaded, readable and executable: the whole file.
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _ADDRESS, _ADDRESS, size, size, _ALIGNMENT)
    return header + segment + code


def _lines(architecture: str, folder: str) -> str:
    file = f"{folder}/program-{architecture}"
    text = "".join(f"\\{byte:03o}" for byte in program(architecture))
    run = f"printf '{text}' > {file} && chmod 755 {file} && {file}"
    return f"( {run} ) > /dev/null 2>&1; [ $? -eq {_CODE} ] && echo {architecture}"
