"""BuildKit, driven by its own client (https://github.com/moby/buildkit#quick-start)."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Final

from conformance.tools.driver import DIGEST_MARK, Build, context

_METADATA: Final = "/tmp/conformance-metadata.json"  # noqa: S108 - inside the client's container
#: The one line of the metadata file that is wanted: its JSON has a key a line.
_DIGEST: Final = r's/^.*"containerimage.digest": *"\([^"]*\)".*$/\1/p'
#: Says it, on a line of its own.
SAY_DIGEST: Final = f"printf '\\n{DIGEST_MARK}%s\\n' \"$(sed -n {shlex.quote(_DIGEST)} {_METADATA})\""
METADATA_FLAG: Final = f"--metadata-file={_METADATA}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Buildctl:
    """`buildctl`; `connection` are its global flags, none where BUILDKIT_HOST says where the daemon is."""

    connection: tuple[str, ...] = ()
    shell = ("sh", "-c")
    speaks_git = True

    def hello(self) -> tuple[str, ...]:
        """Return the command that lists the daemon's workers."""
        return ("buildctl", *self.connection, "debug", "workers")

    def is_usable(self, answer: str) -> bool:
        """Say whether a worker is listed."""
        return "linux/" in answer

    def describe(self) -> tuple[str, ...]:
        """Return the command that lists the workers with their labels."""
        return (*self.hello(), "--verbose")

    def context(self, dockerfile: str) -> str:
        """Return shell lines that make a context and change into it."""
        return context(dockerfile)

    def script(self, build: Build) -> str:
        """Return the `buildctl build` for a build."""
        return build_script(("buildctl", *self.connection), build)


def build_script(program: tuple[str, ...], build: Build) -> str:
    """Return the `build` of a program that takes buildctl's words."""
    where = (f"--opt=context={build.git}",) if build.git else ("--local=context=.", "--local=dockerfile=.")
    words = [*program, "build", "--progress=plain", "--frontend=dockerfile.v0", *where, "--no-cache"]
    if not build.push:
        return shlex.join(words)
    return f"{shlex.join([*words, f'--output=type=image,name={build.push},push=true', METADATA_FLAG])}\n{SAY_DIGEST}"
