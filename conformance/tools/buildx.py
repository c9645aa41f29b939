"""BuildKit, driven by Docker's client: `docker buildx` with its remote driver.

See https://docs.docker.com/build/builders/drivers/remote/. No Docker engine takes part.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Final

from conformance.tools.buildctl import METADATA_FLAG, SAY_DIGEST
from conformance.tools.driver import Build, context

_BUILDER: Final = "conformance"
#: Made once, and again when the container was started anew.
_CREATE: Final = (
    f"docker buildx inspect {_BUILDER} > /dev/null 2>&1"
    f' || docker buildx create --name {_BUILDER} --driver remote "$BUILDKIT_HOST" > /dev/null'
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Buildx:
    """`docker buildx` in the client's container, the daemon's address in BUILDKIT_HOST."""

    shell = ("sh", "-c")
    speaks_git = True

    def hello(self) -> tuple[str, ...]:
        """Return the command that shows the daemon behind the remote driver."""
        return ("sh", "-c", f"{_CREATE}; docker buildx inspect --bootstrap {_BUILDER}")

    def is_usable(self, answer: str) -> bool:
        """Say whether the daemon named its platforms."""
        return "linux/" in answer

    def describe(self) -> tuple[str, ...]:
        """Return the command of BuildKit's own client, which lies beside it and knows the worker's labels."""
        return ("buildctl", "debug", "workers", "--verbose")

    def context(self, dockerfile: str) -> str:
        """Return shell lines that make a context and change into it."""
        return context(dockerfile)

    def script(self, build: Build) -> str:
        """Return the `docker buildx build` for a build."""
        words = ["docker", "buildx", "build", f"--builder={_BUILDER}", "--progress=plain", "--no-cache"]
        where = build.git or "."
        if not build.push:
            return f"{_CREATE}\n{shlex.join([*words, where])}"
        return f"{_CREATE}\n{shlex.join([*words, f'--tag={build.push}', '--push', METADATA_FLAG, where])}\n{SAY_DIGEST}"
