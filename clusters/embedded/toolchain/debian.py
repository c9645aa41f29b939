"""Take a program out of a Debian package without installing the package."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from clusters import process
from clusters.embedded.toolchain.limits import LIMITS
from clusters.embedded.toolchain.programs import DebianProgram
from clusters.errors import CommandError, UnavailableError


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """A program out of a package: where it was unpacked, and of which version and architecture the package is."""

    binary: Path
    version: str
    architecture: str


def on_path(program: DebianProgram) -> Path | None:
    """Return the program as it is on PATH, on a machine without apt: there it is the user's to install."""
    found = shutil.which(Path(program.path).name) if shutil.which("apt-get") is None else None
    return Path(found) if found is not None else None


def take(program: DebianProgram, into: Path) -> Taken:
    """Download the package (apt checks its signature), unpack it in the empty folder `into`, return the program.

    Raises UnavailableError where there is no apt, it has no such package, or the package cannot be fetched.
    """
    _require(program)
    try:
        process.run(("apt-get", "download", program.package), cwd=into, env=_environment(), timeout=LIMITS.debian)
    except CommandError as error:
        raise UnavailableError(
            f"Debian's package {program.package}, which {program.name} comes from, could not be fetched: check the "
            f"network and apt's sources, run `apt-get update`, then run this again\n{error}"
        ) from error
    (package,) = into.glob("*.deb")
    process.run(("dpkg-deb", "--extract", package, into / "root"), timeout=LIMITS.debian)
    binary = into / "root" / program.path
    if not binary.is_file():
        raise UnavailableError(
            f"Debian's package {program.package} has no {program.path}, which {program.name} should be: "
            "this release packs it otherwise; correct its path in programs.toml"
        )
    return Taken(binary=binary, version=_field(package, "Version"), architecture=_field(package, "Architecture"))


def _require(program: DebianProgram) -> None:
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise UnavailableError(
            f"{program.name} comes from Debian's package {program.package}, and this machine has no apt: "
            f"install a program {Path(program.path).name!r} so that it is on PATH, then run this again"
        )
    if _is_known(program.package):
        return
    process.run(
        ("apt-get", "update"),
        env=_environment(),
        timeout=LIMITS.debian,
        hint="apt's package lists could not be fetched: check the network, run `apt-get update` as root",
    )
    if not _is_known(program.package):
        raise UnavailableError(
            f"apt knows no package {program.package}, which {program.name} comes from: "
            "enable Debian's `main` (Ubuntu's `universe`), run `apt-get update`, then run this again"
        )


def _is_known(package: str) -> bool:
    said = process.run(("apt-cache", "policy", package), env=_environment(), timeout=LIMITS.ask).stdout
    return re.search(r"^\s*Candidate: (?!\(none\))", said, re.MULTILINE) is not None


def _field(package: Path, name: str) -> str:
    return process.run(("dpkg-deb", "--field", package, name), timeout=LIMITS.ask).stdout.strip()


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C"}
