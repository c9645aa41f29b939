"""kaniko: builds in its own container's root, without namespaces of its own.

See https://github.com/chainguard-dev/kaniko#using-kaniko. It is run several times in one container here: `--cleanup`
gives each build an empty root, but for what is mounted.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import Final

from conformance.tools.driver import Build, context, said_in

_WORKSPACE: Final = "/workspace"
_DIGEST: Final = f"{_WORKSPACE}/conformance-digest"
#: Where a git context is cloned to; a second clone refuses what the first left.
_CLONE: Final = "/kaniko/buildcontext"
_GIT: Final = re.compile(r"^(?P<scheme>https?)://(?P<rest>[^#]+)(?:#(?P<ref>[^:]*)(?::(?P<folder>.*))?)?$")
_COMMIT: Final = re.compile(r"^[0-9a-f]{40}$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Kaniko:
    """`/kaniko/executor` in the builder's own container; `arguments` are added to each build."""

    arguments: tuple[str, ...] = ()
    shell = ("/busybox/sh", "-c")
    #: Its `git://` means https, or http when a variable says so.
    speaks_git = False

    def hello(self) -> tuple[str, ...]:
        """Return the command that says the program's version."""
        return ("/kaniko/executor", "version")

    def is_usable(self, answer: str) -> bool:
        """Say whether the program is there."""
        return "ersion" in answer

    def describe(self) -> tuple[str, ...]:
        """Return nothing: there is no worker."""
        return ()

    def context(self, dockerfile: str) -> str:
        """Return shell lines that make a context where nothing is cleaned up, and change into it."""
        return context(dockerfile, busybox="/busybox/busybox", below=_WORKSPACE)

    def script(self, build: Build) -> str:
        """Return the build, with an empty root before and after it."""
        setting, where = git_context(build.git) if build.git else ("", ('--context=dir://"$PWD"',))
        keep = (
            (f"--destination={build.push}", "--insecure", f"--digest-file={_DIGEST}") if build.push else ("--no-push",)
        )
        words = ["/kaniko/executor", "--force", "--cleanup", "--insecure-pull", *keep, *self.arguments]
        # The local context is the shell's to say; everything else is quoted.
        line = f"{setting}{shlex.join(words)} {' '.join(where)}"
        lines = [f"rm -rf {_CLONE}", line, *([said_in(_DIGEST)] if build.push else [])]
        return "\n".join(lines)


def git_context(url: str) -> tuple[str, tuple[str, ...]]:
    """Return the variables to set, as shell words, and the flags by which kaniko fetches a git context.

    A ref is taken for a commit when it looks like one in full, for a branch otherwise. What is neither http nor https
    is handed on as it is.
    """
    found = _GIT.match(url)
    if found is None:
        return "", (shlex.quote(f"--context={url}"),)
    ref, folder = found["ref"] or "", found["folder"] or ""
    fragment = f"#{ref}" if _COMMIT.match(ref) else f"#refs/heads/{ref}" if ref else ""
    flags = [f"--context=git://{found['rest']}{fragment}", *([f"--context-sub-path={folder}"] if folder else [])]
    setting = "GIT_PULL_METHOD=http " if found["scheme"] == "http" else ""
    return setting, tuple(shlex.quote(flag) for flag in flags)
