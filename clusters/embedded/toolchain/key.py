"""Everything that affects a built program, and the key that is made of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Final

from clusters.embedded.toolchain import cgo
from clusters.embedded.toolchain.cache import Identity
from clusters.embedded.toolchain.catalog import MODULES
from clusters.embedded.toolchain.go import Go
from clusters.embedded.toolchain.programs import DebianProgram, GoProgram

#: To be raised when programs come out differently for a reason that nothing below shows.
_FORMAT: Final = 1

#: Given to every `go build`: nothing of the machine's paths gets in, and no DWARF is made only to be stripped.
BUILD_FLAGS: Final = ("-trimpath", "-buildvcs=false", "-mod=readonly", "-gcflags=all=-dwarf=false")
LDFLAGS: Final = ("-s", "-w")


def of_go(program: GoProgram, go: Go) -> Identity:
    """Return what a Go program would be, built now on this machine."""
    made_from = {
        "format": _FORMAT,
        "module": program.module,
        "version": program.version,
        "package": program.package,
        "tags": list(program.tags),
        "flags": list(BUILD_FLAGS),
        "ldflags": [*LDFLAGS, *program.ldflags],
        "go": dict(go.facts),
        "cgo": dict(cgo.facts(program)),
        "sources": _sources(program.tool),
    }
    return _identity(program.name, program.version, made_from)


def of_debian(program: DebianProgram, *, version: str, architecture: str) -> Identity:
    """Return what a program is that was taken from that version of its package."""
    made_from = {
        "format": _FORMAT,
        "debian": program.package,
        "version": version,
        "architecture": architecture,
        "path": program.path,
    }
    return _identity(program.name, version, made_from)


def _identity(name: str, version: str, made_from: Mapping[str, object]) -> Identity:
    key = hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()[:12]
    # A Debian version may have an epoch, and a colon in a path ends it wherever paths are listed.
    return Identity(folder=f"{name}-{version.replace(':', '-')}-{key}", made_from=made_from)


def _sources(tool: str) -> dict[str, str]:
    files = sorted(path for path in (MODULES / tool).iterdir() if path.is_file())
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
