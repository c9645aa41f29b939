"""Debian packages by apt, in a private state folder: nothing of the host's own package state is read or changed."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from clusters import process
from clusters.embedded.images.layer import Architecture
from clusters.embedded.images.recipe import Debian
from clusters.errors import ProgramMissingError, UnavailableError

#: What to do when apt fails; its own message says which address or package it was about.
_HINT = (
    "Debian packages could not be fetched. Usual causes: no network, a proxy that apt does not know "
    "(Acquire::http::Proxy in /etc/apt/apt.conf.d), or a package name that the release does not have "
    "(images/*/recipe.toml, images/debian.toml)."
)

#: Of a package that counts as installed apt must see these; without Depends nothing is missing.
_STATUS_FIELDS = ("Package:", "Version:", "Architecture:", "Multi-Arch:", "Provides:")

# `#clear` drops what the host says of its own system: its hooks would act on the host's folders. What it says of the
# network, proxies and credentials, stays. Double braces are for str.format.
_CONFIG = """\
#clear APT::Architectures;
#clear APT::Default-Release;
#clear APT::Update;
#clear DPkg;
APT::Architecture "{architecture}";
APT::Architectures {{ "{architecture}"; }};
APT::Update::Error-Mode "any";
APT::Install-Recommends "false";
APT::Install-Suggests "false";
APT::Sandbox::User "root";
APT::Get::AllowUnauthenticated "false";
Acquire::Languages "none";
Acquire::Retries "3";
Debug::NoLocking "true";
Dir::State "{folder}/state";
Dir::State::status "{folder}/status";
Dir::State::lists "{folder}/lists";
Dir::Cache "{folder}/cache";
Dir::Etc::sourcelist "{folder}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How long apt may take, in seconds."""

    #: Fetching the package lists (about 15 MB).
    update: float = 300
    #: Answering a question from the lists, without network.
    ask: float = 60
    #: Fetching the packages (about 20 MB).
    download: float = 600


LIMITS = Limits()


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Package:
    """A package at a version, and the name of its file."""

    name: str
    version: str
    file: str


class Apt:
    """apt for one architecture, with folders of its own below `folder`; the lists are fetched once, on construction."""

    def __init__(self, debian: Debian, folder: Path, architecture: Architecture) -> None:
        """Fetch the package lists of `debian`. Raises UnavailableError, CommandError."""
        if not Path(debian.keyring).is_file():
            raise UnavailableError(f"{debian.keyring} is missing: install the package debian-archive-keyring")
        self._folder = folder
        for name in ("state", "lists/partial", "cache/archives/partial", "packages"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "apt.conf").write_text(_CONFIG.format(folder=folder, architecture=architecture))
        (folder / "sources.list").write_text("\n".join(_sources(debian)) + "\n")
        (folder / "status").touch()
        self._run("apt-get", "update", limit=LIMITS.update)
        if debian.without:
            (folder / "status").write_text(self._status(debian.without))

    def resolve(self, names: Sequence[str]) -> tuple[Package, ...]:
        """Return the packages with all they need, sorted. Raises CommandError when one does not exist."""
        if not names:
            return ()
        output = self._run("apt-get", "--yes", "--print-uris", "install", *names, limit=LIMITS.ask)
        return tuple(sorted(_packages(output)))

    def download(self, packages: Sequence[Package]) -> dict[Package, Path]:
        """Fetch packages, checked against the signed lists, and return their files. Raises CommandError."""
        into = self._folder / "packages"
        wanted = [f"{package.name}={package.version}" for package in packages]
        self._run("apt-get", "download", *wanted, limit=LIMITS.download, cwd=into)
        return {package: into / package.file for package in packages}

    def _status(self, names: Sequence[str]) -> str:
        known = self._run("apt-cache", "show", "--no-all-versions", *names, limit=LIMITS.ask)
        lines = [line for line in known.splitlines() if not line or line.startswith(_STATUS_FIELDS)]
        return "\n".join(
            f"{line}\nStatus: hold ok installed" if line.startswith("Package:") else line for line in lines
        )

    def _run(self, program: str, *words: str, limit: float, cwd: Path | None = None) -> str:
        argv: tuple[str | Path, ...] = (program, "--config-file", self._folder / "apt.conf", *words)
        try:
            return process.run(argv, timeout=limit, hint=_HINT, cwd=cwd).stdout
        except ProgramMissingError as error:
            raise UnavailableError(
                f"{program} is not on PATH: the images are made from Debian packages, which apt fetches; "
                "install apt and debian-archive-keyring (Debian, Ubuntu and Fedora have both)"
            ) from error


def _sources(debian: Debian) -> Iterator[str]:
    components = " ".join(debian.components)
    for archive in debian.archives:
        for suite in archive.suites:
            yield f"deb [signed-by={debian.keyring}] {archive.uri} {suite} {components}"


def _packages(output: str) -> Iterator[Package]:
    """Read `apt-get --print-uris`: lines of 'address' file size hash, among other lines."""
    for line in output.splitlines():
        if line.startswith("'"):
            file = shlex.split(line)[1]
            name, version, _ = file.split("_", 2)
            yield Package(name=name, version=unquote(version), file=file)
