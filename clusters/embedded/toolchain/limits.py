"""Every time limit of the toolchain, named, in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How long a step may take before it is given up: far more than it ever takes, only against hanging."""

    #: A question to a program on this machine (`go env`, `apt-cache policy`).
    ask: float = 60
    #: Installing the wheel that brings `go`.
    install_go: float = 900
    #: Fetching the modules of one tool.
    fetch: float = 1800
    #: Compiling one tool.
    compile: float = 7200
    #: Fetching one Debian package, `apt-get update` included.
    debian: float = 900
    #: Between two plain lines about a step that goes on.
    heartbeat: float = 25
    #: Between two looks at whether another run has finished.
    lock_poll: float = 0.5


LIMITS: Final = Limits()
