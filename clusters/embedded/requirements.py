"""The Debian packages that are needed: which are missing, and their installation where that is ours to do."""

from __future__ import annotations

import glob
import os
import shutil
import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from clusters import process
from clusters.embedded.timeouts import TIMEOUTS
from clusters.errors import UnavailableError
from clusters.provider import Progress

#: Set to 0 to be told what is missing instead of having it installed.
INSTALL_VARIABLE = "BUILD_CONFORMANCE_INSTALL_DEPS"

#: Where programs for root are, although root's PATH may lack them.
PROGRAM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Requirement(BaseModel):
    """A Debian package: what proves that it is there, and why it is needed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    proof: str
    why: str


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    package: tuple[Requirement, ...]


#: What the embedded provider needs.
OWN = Path(__file__).with_suffix(".toml")


def load(file: Path = OWN) -> tuple[Requirement, ...]:
    """Return all packages that are needed."""
    return _File.model_validate(tomllib.loads(file.read_text())).package


def missing(file: Path = OWN) -> tuple[Requirement, ...]:
    """Return the packages whose proof is not on this machine, whoever may have put it there."""
    return tuple(requirement for requirement in load(file) if not _is_there(requirement.proof))


def why_not_installable() -> str | None:
    """Say why missing packages are not ours to install on this machine, or None when they are."""
    if os.environ.get(INSTALL_VARIABLE) == "0":
        return f"{INSTALL_VARIABLE}=0 (--no-install-deps) says not to install anything"
    if not _is_debian():
        return "this is neither Debian nor Ubuntu, where they could be installed for you"
    if os.geteuid() != 0:
        return "only root can install packages"
    return None


def explain(packages: tuple[Requirement, ...]) -> str:
    """Return a sentence that lists packages, what each is for, and how to get them."""
    listed = "; ".join(f"{package.name} ({package.why})" for package in packages)
    names = " ".join(package.name for package in packages)
    return (
        f"these Debian packages (or what they bring elsewhere) are missing: {listed}. "
        f"On Debian: apt-get install {names}"
    )


def install(packages: tuple[Requirement, ...], progress: Progress) -> None:
    """Install packages, saying first which. Raises UnavailableError where that is not ours, CommandError."""
    if not packages:
        return
    reason = why_not_installable()
    if reason is not None:
        raise UnavailableError(f"{explain(packages)} ({reason})")
    names = [package.name for package in packages]
    progress(f"installing the missing Debian packages {', '.join(names)} (--no-install-deps refuses this)")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    hint = "is a Debian mirror reachable? Otherwise install the packages by hand"
    for argv in (
        ["apt-get", "-qq", "update"],
        ["apt-get", "-qq", "install", "--yes", "--no-install-recommends", *names],
    ):
        process.run(argv, env=environment, timeout=TIMEOUTS.packages, hint=hint)
    left = tuple(package for package in packages if not _is_there(package.proof))
    if left:
        raise UnavailableError(f"after the installation {explain(left)}")


def _is_there(proof: str) -> bool:
    if proof.startswith("/"):
        return bool(glob.glob(proof))  # noqa: PTH207 - the pattern is absolute
    return shutil.which(proof) is not None or shutil.which(proof, path=PROGRAM_PATH) is not None


def _is_debian() -> bool:
    release = Path("/etc/os-release")
    words = release.read_text() if release.is_file() else ""
    family = {
        word
        for line in words.splitlines()
        if line.startswith(("ID=", "ID_LIKE="))
        for word in line.split("=", 1)[1].strip('"').split()
    }
    return bool(family & {"debian", "ubuntu"}) and shutil.which("apt-get") is not None
