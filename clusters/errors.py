"""Every error of `clusters`: what happened, the usual cause, the next step.

`main` functions catch `ClustersError`; everything inside raises. Exit codes: 2 infrastructure, 3 usage or bad input.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import ClassVar


class ClustersError(Exception):
    """Something about a cluster went wrong; the message ends with what to do."""

    exit_code: ClassVar[int] = 2


class UsageError(ClustersError):
    """The caller asked for something that does not exist or does not fit together."""

    exit_code: ClassVar[int] = 3


class UnavailableError(ClustersError):
    """A provider cannot work on this machine: not Linux, not root, a kernel feature or a program is missing."""

    exit_code: ClassVar[int] = 2


class CommandError(ClustersError):
    """A program ended badly. Keeps argv and output in a form that can be pasted into a shell."""

    def __init__(self, argv: tuple[str, ...], returncode: int | None, output: str, hint: str = "") -> None:
        """Keep what was run (`argv`), how it ended (`returncode`, None for a timeout) and the end of what it said."""
        self.argv = argv
        self.returncode = returncode
        self.output = output
        ended = "did not end in time" if returncode is None else f"ended with {returncode}"
        tail = "\n".join(output.splitlines()[-20:])
        message = f"`{shlex.join(argv)}` {ended}"
        if tail:
            message += f":\n{tail}"
        if hint:
            message += f"\n{hint}"
        super().__init__(message)


class ProgramMissingError(UnavailableError):
    """A program is not on PATH."""

    def __init__(self, program: str) -> None:
        """Name the `program` that was looked for."""
        self.program = program
        super().__init__(
            f"the program {program!r} is not on PATH: install the package that has it, then run this again"
        )


class ClusterFailedError(ClustersError):
    """A cluster could not be created or one of its components died."""

    def __init__(self, name: str, step: str, reason: str, logs: Path | None = None) -> None:
        """Name the cluster, the step that failed, why, and the folder that holds the logs, if any."""
        self.name = name
        self.step = step
        self.reason = reason
        self.logs = logs
        where = f"\nits logs: {logs}" if logs is not None else ""
        super().__init__(f"cluster {name!r} failed at step {step!r}: {reason}{where}")


class TooSlowError(ClustersError):
    """Something that was waited for did not come in time."""

    def __init__(self, what: str, limit: float) -> None:
        """Name `what` was waited for and the `limit` in seconds."""
        self.what = what
        self.limit = limit
        super().__init__(f"gave up after {limit:g} s of waiting for {what}: is the machine overloaded? try again")
