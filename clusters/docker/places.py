"""Where the files of a cluster in containers are, and the mark that everything working on it carries."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clusters import paths
from clusters.errors import UsageError

#: Every program that is started for a cluster has this variable: what is left of a killed run is known by it.
MARK_VARIABLE: Final = "BUILD_CONFORMANCE_WORKS_ON"

#: Begins the name of every network of ours.
NETWORK_PREFIX: Final = "build-conformance-"

#: A DNS label.
NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,48}[a-z0-9])?")

#: Characters that k3d lets a cluster's name have; kind makes host names of its own, which may have 63.
SHORT: Final = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Names and paths of one cluster of one provider; `root` is its folder."""

    provider: str
    name: str
    root: Path

    @property
    def digest(self) -> str:
        """Return eight hexadecimal digits that tell clusters apart, also those of other state folders."""
        return digest_of(self.root)

    @property
    def mark(self) -> str:
        """Return the value of `MARK_VARIABLE`."""
        return f"{self.provider}/{self.name}/{self.digest}"

    @property
    def short(self) -> str:
        """Return the name that kind and k3d know the cluster by."""
        return self.name if len(self.name) <= SHORT else f"{self.name[: SHORT - 9].rstrip('-')}-{self.digest}"

    @property
    def network(self) -> str:
        """Return the name of the network that is this cluster's alone."""
        return f"{NETWORK_PREFIX}{self.name}-{self.digest}"

    @property
    def kubeconfig(self) -> Path:
        """Return the administrator's kubeconfig, mode 0600."""
        return self.root / "kubeconfig"

    @property
    def config(self) -> Path:
        """Return the configuration that kind or k3d is given."""
        return self.root / "config.yaml"

    @property
    def record(self) -> Path:
        """Return the file that says what was asked for and what came of it."""
        return self.root / "cluster.json"

    @property
    def log(self) -> Path:
        """Return what kind or k3d said."""
        return self.root / "creation.log"


def digest_of(folder: Path) -> str:
    """Return eight hexadecimal digits of a path: names made of it differ from those of other state folders."""
    return hashlib.sha256(str(folder).encode()).hexdigest()[:8]


def folder(provider: str) -> Path:
    """Return the folder that holds a folder for each cluster of a provider."""
    return (paths.state_dir() / provider).absolute()


def place_of(provider: str, name: str) -> Place:
    """Return names and paths of a cluster. Raises UsageError for a name that cannot be one."""
    if NAME.fullmatch(name) is None:
        raise UsageError(
            f"{name!r} cannot name a {provider} cluster: use up to 50 lower case letters, digits and '-', "
            "beginning and ending with a letter or digit"
        )
    return Place(provider=provider, name=name, root=folder(provider) / name)


def existing(provider: str) -> tuple[Place, ...]:
    """Return the places of all folders of clusters that are there, half-made ones too, by name."""
    if not folder(provider).is_dir():
        return ()
    return tuple(
        Place(provider=provider, name=path.name, root=path)
        for path in sorted(folder(provider).iterdir())
        if path.is_dir() and NAME.fullmatch(path.name)
    )
