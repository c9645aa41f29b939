"""A cluster in the making, and what both tools' providers do with one: load, tell, wait, describe."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from clusters import process
from clusters.docker.engines import Engine
from clusters.docker.places import Place
from clusters.docker.timeouts import TIMEOUTS
from clusters.errors import ClusterFailedError, CommandError
from clusters.provider import ClusterSpec, Progress


@dataclass(frozen=True, kw_only=True, slots=True)
class Nodes:
    """The containers of a cluster: all that are nodes, and the one to ask for the API."""

    every: tuple[str, ...]
    server: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """One cluster on one engine."""

    place: Place
    spec: ClusterSpec
    engine: Engine
    progress: Progress

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Tell that a step is done and how long it took; a program that fails in it becomes the cluster's failure."""
        began = time.monotonic()
        try:
            yield
        except CommandError as error:
            raise ClusterFailedError(self.spec.name, what, str(error), self.place.root) from error
        self.progress(f"{what} ({time.monotonic() - began:.1f} s)")

    def follow(self, *words: str, timeout: float, environment: dict[str, str] | None = None) -> None:
        """Run a tool, its output kept in the cluster's folder. Raises CommandError with the end of what it said."""
        with self.place.log.open("a") as log:

            def keep(line: str) -> None:
                log.write(f"{line}\n")
                log.flush()

            env = {**self.engine.environment_for(self.place), **(environment or {})}
            process.stream(words, on_line=keep, env=env, timeout=timeout)

    def ask(self, *words: str, environment: dict[str, str] | None = None) -> str:
        """Return what a tool says on standard output. Raises CommandError."""
        env = {**self.engine.environment_for(self.place), **(environment or {})}
        return process.run(words, env=env, timeout=TIMEOUTS.command).stdout

    def execute(
        self, node: str, *words: str, stdin: bytes | None = None, check: bool = True, timeout: float = TIMEOUTS.command
    ) -> process.Completed:
        """Run something in a node. Raises CommandError unless `check` is off."""
        options = ["--interactive"] if stdin is not None else []
        return self.engine.run(
            "exec", *options, node, *words, place=self.place, stdin=stdin, check=check, timeout=timeout
        )

    def get(self, nodes: Nodes, kubectl: tuple[str, ...], *words: str) -> dict[str, Any]:
        """Ask the API server from inside a node; an empty object when it does not answer or has nothing."""
        said = self.execute(nodes.server, *kubectl, "get", *words, "--output=json", check=False)
        value = json.loads(said.stdout) if said.returncode == 0 and said.stdout.strip() else {}
        return value if isinstance(value, dict) else {}
