"""What stages ask of a build tool, whichever it is."""

from __future__ import annotations

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

    def hello(self) -> tuple[str, ...]:
        """Return a command that is harmless and ends well as soon as builds can begin."""

    def is_usable(self, answer: str) -> bool:
        """Say whether the output of `hello`, when it ended well, means that builds can begin."""

    def script(self, build: Build) -> str:
        """Return shell lines that run a build and fail as it fails.

        After a push they print `DIGEST_MARK` and the digest that the tool itself reports, on a line of their own.
        """
