"""What the toolchain's programs say of themselves: Go's build information, and whether they need a loader."""

from __future__ import annotations

import mmap
import re
import struct
from pathlib import Path

from clusters.errors import ClustersError

#: Go writes this text into every program: the main package, then the modules it was built from.
_BUILD_INFO = re.compile(rb"path\t(?P<package>[^\n]{1,200})\n(?P<modules>(?:(?:mod|dep|=>)\t[^\n]{1,400}\n)+)")
_MODULE = re.compile(rb"^(?:mod|dep)\t(?P<module>[^\t\n]+)\t(?P<version>[^\t\n]+)", re.MULTILINE)

_PT_INTERP = 3


def describe_program(path: Path) -> str:
    """Return the module a Go program was built from, with its version; its file name when it does not say."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        for found in _BUILD_INFO.finditer(text):
            package = found["package"].decode()
            modules = {m["module"].decode(): m["version"].decode() for m in _MODULE.finditer(found["modules"])}
            owners = [module for module in modules if f"{package}/".startswith(f"{module}/")]
            if owners:
                owner = max(owners, key=len)
                return f"{owner} {modules[owner]}"
    return path.name


def check_static(path: Path) -> None:
    """Raise ClustersError when a program needs a dynamic loader, which some images do not have."""
    with path.open("rb") as file:
        header = file.read(64)
        if header[:5] != b"\x7fELF\x02":
            raise ClustersError(f"{path} is no 64-bit ELF program: build the toolchain again")
        (offset,) = struct.unpack_from("<Q", header, 32)
        size, count = struct.unpack_from("<HH", header, 54)
        file.seek(offset)
        table = file.read(size * count)
    if any(struct.unpack_from("<I", table, number * size)[0] == _PT_INTERP for number in range(count)):
        raise ClustersError(f"{path} is linked dynamically and would not start in its image: build it statically")
