"""A command in a container, as the API server's websocket carries it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import websocket

from conformance.waiting import Deadline, Timeouts

_SLICE_SECONDS: Final = 0.5

# The client sets no limit of its own: a server that hangs would hang us for ever.
websocket.setdefaulttimeout(Timeouts().request)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ran:
    """A command in a container that ended, or was cut off (`code` None)."""

    code: int | None
    output: str
    #: How the connection broke before the command had ended; empty when it did not.
    broken: str = ""

    @property
    def ok(self) -> bool:
        """Say whether it ended with 0."""
        return self.code == 0


def follow(session: Any, *, within: float, give_up: Callable[[], bool]) -> Ran:  # noqa: ANN401 - it has no types
    """Read what a command says until it ends, `within` seconds have passed, `give_up` says so or the connection breaks.

    Closes the session.
    """
    deadline = Deadline(within)
    broken = ""
    try:
        while session.is_open() and not broken and not deadline.passed and not give_up():
            broken = _update(session, min(_SLICE_SECONDS, deadline.remaining))
        code = None if session.is_open() else _exit_code(session)
        if code is None and not session.is_open():
            broken = "it was closed before the command had ended"
        return Ran(code=code, output=session.read_all(), broken=broken)
    finally:
        session.close()
        # `close` leaves the socket open when the server has already said goodbye.
        if session.sock.sock is not None:
            session.sock.sock.close()


def _update(session: Any, seconds: float) -> str:  # noqa: ANN401 - it has no types
    """Take in what comes within so many seconds; return how the connection broke, if it did."""
    try:
        session.update(timeout=seconds)
    except (websocket.WebSocketException, OSError) as error:
        return str(error) or type(error).__name__
    return ""


def _exit_code(session: Any) -> int | None:  # noqa: ANN401 - it has no types
    """Return how a command ended, None when the connection broke first. Before `read_all`, which forgets it."""
    try:
        code: int = session.returncode
    except (TypeError, KeyError, IndexError, ValueError):
        return None
    return code
