"""What stages ask of a build tool, whichever it is."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Final, Protocol

#: What the line begins with that names a pushed image's digest, in the output of a build that pushes.
DIGEST_MARK: Final = "conformance-digest:"


@dataclass(frozen=True, kw_only=True, slots=True)
class Build:
    """A build as a stage asks for it, without any cache."""

    #: A git context as BuildKit writes them, `URL#ref:subdir`; empty: the folder in which the command runs.
    git: str = ""
    #: What the image is pushed as, `host:port/name:tag`, by plain http; empty: nothing is kept.
    push: str = ""


class Driver(Protocol):
    """A tool in the container that drives it."""

    @property
    def shell(self) -> tuple[str, ...]:
        """Return what runs a script given as the next argument."""

    @property
    def speaks_git(self) -> bool:
        """Say whether it can fetch by git's own protocol; otherwise only by http and https."""

    def hello(self) -> tuple[str, ...]:
        """Return a command that is harmless and ends well as soon as builds can begin."""

    def is_usable(self, answer: str) -> bool:
        """Say whether the output of `hello`, when it ended well, means that builds can begin."""

    def describe(self) -> tuple[str, ...]:
        """Return a command that says what BuildKit's worker is like; empty where there is no worker to ask."""

    def context(self, dockerfile: str) -> str:
        """Return shell lines that make a context of a Dockerfile and a static `busybox`, and change into it."""

    def script(self, build: Build) -> str:
        """Return shell lines that run a build and fail as it fails.

        After a push they print `DIGEST_MARK` and the digest that the tool itself reports, on a line of their own.
        """


def context(dockerfile: str, *, busybox: str = "/bin/busybox", below: str = "/tmp") -> str:  # noqa: S108 - in a pod
    """Return shell lines that make a context around a static busybox in a folder of its own, and change into it."""
    return "\n".join(
        (
            f'context="$(mktemp -d -p {below})"',
            'cd "$context"',
            f"cp {busybox} busybox",
            f"printf '%s' {shlex.quote(dockerfile)} > Dockerfile",
        )
    )


def said_in(file: str) -> str:
    """Return a shell line that prints the digest that a tool wrote to a file."""
    return f"printf '\\n{DIGEST_MARK}%s\\n' \"$(cat {file})\""
