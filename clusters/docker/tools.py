"""The command lines of kind and k3d: the one on PATH where its version suits, the toolchain's otherwise."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass

from packaging.version import Version

from clusters import process
from clusters.docker.timeouts import TIMEOUTS
from clusters.embedded import toolchain
from clusters.errors import CommandError
from clusters.provider import Progress


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """A command line: its path and version."""

    path: str
    version: str


def find(name: str, oldest: str) -> Program | None:
    """Return the program on PATH if it is `oldest` or newer."""
    path = shutil.which(name)
    if path is None:
        return None
    try:
        said = process.run([path, "version"], check=False, timeout=TIMEOUTS.look).stdout
    except (CommandError, OSError):
        return None
    found = re.search(r"v(\d+\.\d+\.\d+)", said)
    if found is None or Version(found[1]) < Version(oldest):
        return None
    return Program(path=path, version=f"v{found[1]}")


def obtain(name: str, oldest: str, progress: Progress) -> Program:
    """Return the program on PATH if it suits, else the toolchain's, built when it is missing. Raises ClustersError."""
    found = find(name, oldest)
    if found is None:
        built = toolchain.ensure(toolchain.pick([name]), progress=progress)
        found = Program(path=str(built[name]), version=toolchain.version_of(name))
    return found
