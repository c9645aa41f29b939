"""What cgo needs from this machine: a C compiler and libraries known to pkg-config."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterable, Mapping
from typing import Final

from clusters import process
from clusters.embedded.toolchain.limits import LIMITS
from clusters.embedded.toolchain.programs import GoProgram, Program
from clusters.errors import ClustersError, UnavailableError

_ABSENT: Final = "absent"


def facts(program: GoProgram) -> Mapping[str, str]:
    """Return the versions of the compiler and the libraries, `absent` for what is not there; nothing without cgo."""
    if not program.cgo:
        return {}
    libraries = {name: _said("pkg-config", "--modversion", name) for name in program.libraries}
    return {"cc": _said(*_compiler(), "-dumpfullversion", "-dumpversion"), **libraries}


def check(programs: Iterable[Program]) -> None:
    """Raise UnavailableError naming the packages to install when something that cgo needs is missing."""
    for program in programs:
        if not isinstance(program, GoProgram) or not program.cgo:
            continue
        missing = [name for name, version in facts(program).items() if version == _ABSENT]
        if shutil.which("pkg-config") is None:
            missing = ["pkg-config", *missing]
        if missing:
            packages = " ".join(_PACKAGES.get(name, name) for name in missing)
            raise UnavailableError(
                f"{program.name} is built with C, but this machine has no {', '.join(missing)}: "
                f"install them (`apt-get install {packages}`), then run this again"
            )


#: Debian's names.
_PACKAGES: Final = {"cc": "gcc libc6-dev", "pkg-config": "pkg-config", "libseccomp": "libseccomp-dev"}


def _compiler() -> tuple[str, ...]:
    return tuple(shlex.split(os.environ.get("CC", ""))) or ("gcc",)


def _said(*argv: str) -> str:
    try:
        return process.run(argv, timeout=LIMITS.ask).stdout.strip() or _ABSENT
    except ClustersError:
        return _ABSENT
