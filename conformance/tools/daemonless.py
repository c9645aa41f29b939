"""BuildKit without a daemon that stays: `buildctl-daemonless.sh` starts one for the length of a build.

See https://github.com/moby/buildkit#daemonless; the daemon's flags come from the variable BUILDKITD_FLAGS.
"""

from __future__ import annotations

from dataclasses import dataclass

from conformance.tools.buildctl import build_script
from conformance.tools.driver import Build, context

_PROGRAM = "buildctl-daemonless.sh"


@dataclass(frozen=True, kw_only=True, slots=True)
class Daemonless:
    """`buildctl-daemonless.sh` in the builder's own container."""

    shell = ("sh", "-c")
    speaks_git = True

    def hello(self) -> tuple[str, ...]:
        """Return a command that shows that the program is there: there is no daemon to ask."""
        return ("sh", "-c", f"command -v {_PROGRAM} && buildctl --version")

    def is_usable(self, answer: str) -> bool:
        """Say whether both programs are there."""
        return _PROGRAM in answer

    def describe(self) -> tuple[str, ...]:
        """Return nothing: no worker stays to be asked."""
        return ()

    def context(self, dockerfile: str) -> str:
        """Return shell lines that make a context and change into it."""
        return context(dockerfile)

    def script(self, build: Build) -> str:
        """Return the build; its daemon begins and ends with it."""
        return build_script((_PROGRAM,), build)
