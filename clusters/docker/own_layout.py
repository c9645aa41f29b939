"""What the engine of our own is called and where its files are. Everything follows from the state folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clusters import paths
from clusters.docker.places import digest_of

#: Begins the name of the host's side of an engine's veth pair, and of the other side until it moves.
INTERFACE_PREFIX: Final = "bce-"
PEER_PREFIX: Final = "bcf-"


@dataclass(frozen=True, kw_only=True, slots=True)
class Own:
    """Names and paths of the engine of one state folder."""

    root: Path

    @property
    def digest(self) -> str:
        """Return eight hexadecimal digits that tell it from those of other state folders."""
        return digest_of(self.root)

    @property
    def interface(self) -> str:
        """Return the host's side of the veth pair."""
        return f"{INTERFACE_PREFIX}{self.digest}"

    @property
    def peer(self) -> str:
        """Return the engine's side of the pair before it is moved."""
        return f"{PEER_PREFIX}{self.digest}"

    @property
    def cgroup(self) -> str:
        """Return the name of its folder in each cgroup hierarchy."""
        return f"conformance-engine-{self.digest}"

    @property
    def socket(self) -> Path:
        """Return where it listens."""
        return self.root / "docker.sock"

    @property
    def orders(self) -> Path:
        """Return the file it is started with: its path on a command line is how its processes are recognised."""
        return self.root / "orders.json"

    @property
    def log(self) -> Path:
        """Return what the engine says."""
        return self.root / "engine.log"

    @property
    def address(self) -> Path:
        """Return the file that holds its address, written when it answers."""
        return self.root / "address"

    @property
    def users(self) -> Path:
        """Return the folder with a file for each cluster that uses it."""
        return self.root / "users"

    @property
    def programs(self) -> Path:
        """Return the folder of links to its programs."""
        return self.root / "bin"


def own() -> Own:
    """Return the names and paths of this state folder's engine."""
    return Own(root=(paths.state_dir() / "engine").absolute())
