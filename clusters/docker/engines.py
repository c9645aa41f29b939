"""Container engines: the one that is here, how it is spoken to, and why there is none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field

from clusters import process
from clusters.docker.places import MARK_VARIABLE, Place
from clusters.docker.timeouts import TIMEOUTS
from clusters.errors import CommandError

#: Of kind: which engine's command line it calls (kind.sigs.k8s.io, "Using kind with other container engines").
KIND_ENGINE = "KIND_EXPERIMENTAL_PROVIDER"


@dataclass(frozen=True, kw_only=True, slots=True)
class Engine:
    """An engine that answers: the program to call, and what its clients need in their environment."""

    program: str = "docker"
    environment: Mapping[str, str] = field(default_factory=dict)
    #: Where ports that it publishes are reached; empty: on this machine's loopback.
    address: str = ""

    @property
    def is_ours(self) -> bool:
        """Say whether it is an engine that we started, which has no way to any registry."""
        return bool(self.address)

    def environment_for(self, place: Place | None) -> dict[str, str]:
        """Return the whole environment of a program that works on a cluster."""
        marked = {MARK_VARIABLE: place.mark} if place is not None else {}
        return {**os.environ, **self.environment, **marked}

    def run(
        self,
        *words: str,
        place: Place | None = None,
        check: bool = True,
        timeout: float = TIMEOUTS.command,
        stdin: bytes | None = None,
    ) -> process.Completed:
        """Run a command of the engine. Raises CommandError (unless `check` is off) and ProgramMissingError."""
        hint = f"is the container engine in good health? `{self.program} info` tells"
        return process.run(
            [self.program, *words],
            env=self.environment_for(place),
            check=check,
            timeout=timeout,
            stdin=stdin,
            hint=hint,
        )

    def lines(self, *words: str) -> tuple[str, ...]:
        """Return the lines that a command of the engine says, each once, empty ones left out. Raises CommandError."""
        return tuple(dict.fromkeys(line for line in self.run(*words).stdout.splitlines() if line.strip()))


def wanted_program(*, chosen_by_kind: bool) -> str:
    """Return the program of the engine that is to be used: Docker's unless kind was told another."""
    return (os.environ.get(KIND_ENGINE) if chosen_by_kind else None) or "docker"


def why_unusable(program: str) -> str | None:
    """Say why an engine does not answer, or None. Takes at most `TIMEOUTS.look` seconds."""
    if shutil.which(program) is None:
        return f"the program {program!r} is not on PATH"
    try:
        looked = process.run([program, "version"], check=False, timeout=TIMEOUTS.look)
    except CommandError:
        return f"`{program} version` did not answer within {TIMEOUTS.look:g} s"
    if looked.returncode == 0:
        return None
    said = looked.stderr.strip().splitlines() or ["it did not say why"]
    return f"`{program} version` failed: {said[-1]}"
