"""BuildKit, driven by its own client (https://github.com/moby/buildkit#quick-start)."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Final

from conformance.tools.driver import DIGEST_MARK, Build

_METADATA: Final = "/tmp/conformance-metadata.json"  # noqa: S108 - inside the client's container
#: The one line of the metadata file that is wanted; buildctl writes a key a line.
_DIGEST: Final = r's/^.*"containerimage.digest": *"\([^"]*\)".*$/\1/p'


@dataclass(frozen=True, kw_only=True, slots=True)
class Buildctl:
    """`buildctl`; `connection` are its global flags, none where BUILDKIT_HOST says where the daemon is."""

    connection: tuple[str, ...] = ()

    def hello(self) -> tuple[str, ...]:
        """Return the command that lists the daemon's workers."""
        return ("buildctl", *self.connection, "debug", "workers")

    def is_usable(self, answer: str) -> bool:
        """Say whether a worker is listed."""
        return "linux/" in answer

    def script(self, build: Build) -> str:
        """Return the `buildctl build` for a build."""
        context = (f"--opt=context={build.git}",) if build.git else ("--local=context=.", "--local=dockerfile=.")
        words = ["buildctl", *self.connection, "build", "--progress=plain", "--frontend=dockerfile.v0", *context]
        if not build.push:
            return shlex.join([*words, "--no-cache"])
        words += [f"--output=type=image,name={build.push},push=true", f"--metadata-file={_METADATA}"]
        return f"{shlex.join(words)}\nprintf '\\n{DIGEST_MARK}%s\\n' \"$(sed -n {shlex.quote(_DIGEST)} {_METADATA})\""
