"""buildah and podman: two clients of one library (https://github.com/containers/buildah/tree/main/docs)."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Final

from conformance.tools.driver import Build, context, said_in

_DIGEST: Final = "/tmp/conformance-digest"  # noqa: S108 - inside the builder's container
#: What an image is called that nobody pushes.
_LOCAL: Final = "localhost/conformance"


@dataclass(frozen=True, kw_only=True, slots=True)
class Containers:
    """`buildah` or `podman` in the builder's own container; `arguments` are added to each build."""

    program: str
    arguments: tuple[str, ...] = ()
    shell = ("sh", "-c")
    speaks_git = True

    def hello(self) -> tuple[str, ...]:
        """Return a command that needs no user namespace: what the node refuses, a build must show."""
        return (self.program, "--version")

    def is_usable(self, answer: str) -> bool:
        """Say whether the program is there."""
        return "version" in answer

    def describe(self) -> tuple[str, ...]:
        """Return nothing: there is no worker."""
        return ()

    def context(self, dockerfile: str) -> str:
        """Return shell lines that make a context and change into it."""
        return context(dockerfile)

    def script(self, build: Build) -> str:
        """Return the build, and after it the push."""
        tag = build.push or _LOCAL
        insecure = "--tls-verify=false"
        words = [self.program, "build", "--no-cache", insecure, f"--tag={tag}", *self.arguments, build.git or "."]
        if not build.push:
            return shlex.join(words)
        push = [self.program, "push", insecure, f"--digestfile={_DIGEST}", tag]
        return f"{shlex.join(words)}\n{shlex.join(push)}\n{said_in(_DIGEST)}"
