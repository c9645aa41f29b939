"""How a probe has BuildKit build, with words that the stages have no need of."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from conformance.probes.context import CannotLookError, ProbeRun
from conformance.tools.buildctl import Buildctl
from conformance.tools.buildx import Buildx
from conformance.tools.daemonless import Daemonless


def program(run: ProbeRun, *, daemon: bool = False) -> tuple[str, ...]:
    """Return what takes buildctl's words; `daemon` asks for one that stays. Raises CannotLookError."""
    match run.cell_run.driver:
        case Buildctl() as driver:
            return ("buildctl", *driver.connection)
        case Buildx():
            # BuildKit's own client lies beside Docker's and finds the daemon by BUILDKIT_HOST.
            return ("buildctl",)
        case Daemonless() if not daemon:
            return ("buildctl-daemonless.sh",)
        case _:
            tool = run.cell_run.cell.builder.tool
            what = "no BuildKit daemon that outlives a build" if daemon else "no BuildKit"
            raise CannotLookError(f"there is {what} behind {tool} as {run.cell_run.cell.builder.topology}")


def context(dockerfile: str, files: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return shell lines that make a context of texts in a folder of its own and change into it."""
    texts = {"Dockerfile": dockerfile, **(files or {})}
    writes = (f"printf '%s' {shlex.quote(text)} > {shlex.quote(name)}" for name, text in texts.items())
    return ('cd "$(mktemp -d)"', *writes)


def line(
    run: ProbeRun,
    *words: str,
    push: str = "",
    frontend: Sequence[str] = ("--frontend=dockerfile.v0",),
    daemon: bool = False,
) -> str:
    """Return the shell line of a build of the folder it runs in; `push` is the image it is pushed as."""
    every = [*program(run, daemon=daemon), "build", "--progress=plain", *frontend]
    every += ["--local=context=.", "--local=dockerfile=.", *words]
    every += [f"--output=type=image,name={push},push=true"] if push else []
    return shlex.join(every)


def from_base(run: ProbeRun, *lines: str) -> str:
    """Return a Dockerfile that goes on from the fixtures' base image."""
    return "\n".join((f"FROM {run.cell_run.fixtures.registry}/library/base:latest", *lines, ""))
