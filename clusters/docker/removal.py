"""Removal of what bears a cluster's label on an engine: containers with their volumes, then networks and volumes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from clusters.docker.engines import Engine
from clusters.docker.timeouts import TIMEOUTS


@dataclass(frozen=True, kw_only=True, slots=True)
class Traces:
    """What there is of a cluster on an engine, by name."""

    containers: tuple[str, ...]
    networks: tuple[str, ...]
    volumes: tuple[str, ...]

    def __bool__(self) -> bool:
        """Say whether there is anything."""
        return bool(self.containers or self.networks or self.volumes)


def find(engine: Engine, label: str, networks: Iterable[str]) -> Traces:
    """Return what bears a label (`key=value`), and networks of exactly these names. Raises CommandError."""
    by_label = ("--filter", f"label={label}")
    known = engine.lines("network", "ls", "--format", "{{.Name}}")
    return Traces(
        containers=engine.lines("ps", "--all", *by_label, "--format", "{{.Names}}"),
        networks=tuple(name for name in known if name in set(networks)),
        volumes=engine.lines("volume", "ls", *by_label, "--format", "{{.Name}}"),
    )


def remove(engine: Engine, label: str, networks: Iterable[str]) -> None:
    """Remove it all, running or not; what is gone already is no error. Raises CommandError for what will not go."""
    wanted = tuple(networks)
    for _ in range(2):
        # What an engine was still making when its client was killed shows up after a first round.
        found = find(engine, label, wanted)
        if found.containers:
            engine.run("rm", "--force", "--volumes", *found.containers, timeout=TIMEOUTS.removal, check=False)
        if found.networks:
            engine.run("network", "rm", *found.networks, timeout=TIMEOUTS.removal, check=False)
        if found.volumes:
            engine.run("volume", "rm", "--force", *found.volumes, timeout=TIMEOUTS.removal, check=False)
    left = find(engine, label, wanted)
    if left.containers:
        engine.run("rm", "--force", "--volumes", *left.containers, timeout=TIMEOUTS.removal)
    if left.networks:
        engine.run("network", "rm", *left.networks, timeout=TIMEOUTS.removal)
    if left.volumes:
        engine.run("volume", "rm", "--force", *left.volumes, timeout=TIMEOUTS.removal)
