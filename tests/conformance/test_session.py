from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from websocket import WebSocketConnectionClosedException

from conformance.session import follow


class Session:
    """Stands for the websocket: each update is one of its frames."""

    def __init__(self, *frames: str | Exception | None, returncode: object = 0) -> None:
        self.frames = list(frames)
        self.said = ""
        self.open = True
        self.closed = False
        self.sock = SimpleNamespace(sock=None)
        self._returncode = returncode

    def is_open(self) -> bool:
        return self.open

    def update(self, *, timeout: float) -> None:
        assert timeout >= 0
        frame = self.frames.pop(0) if self.frames else ""
        match frame:
            case None:
                self.open = False
            case Exception():
                raise frame
            case _:
                self.said += frame

    @property
    def returncode(self) -> object:
        if isinstance(self._returncode, Exception):
            raise self._returncode
        return self._returncode

    def read_all(self) -> str:
        return self.said

    def close(self) -> None:
        self.closed = True


def never() -> bool:
    return False


def test_a_command_that_ends_gives_its_code_and_all_it_said() -> None:
    session = Session("one ", "two", None, returncode=3)
    ran = follow(session, within=5, give_up=never)
    assert (ran.code, ran.output, ran.broken, ran.ok) == (3, "one two", "", False)
    assert session.closed


@pytest.mark.parametrize(
    "error", [WebSocketConnectionClosedException("Connection to remote host was lost."), ConnectionResetError(104, "r")]
)
def test_a_connection_that_breaks_is_told_and_what_was_said_is_kept(error: Exception) -> None:
    session = Session("#1 load", error)
    ran = follow(session, within=5, give_up=never)
    assert (ran.code, ran.output) == (None, "#1 load")
    assert ran.broken == str(error)
    assert session.closed


def test_a_connection_that_is_closed_without_an_exit_code_broke() -> None:
    ran = follow(Session("#1", None, returncode=TypeError("no status")), within=5, give_up=never)
    assert ran.code is None
    assert "closed before the command had ended" in ran.broken


@pytest.mark.parametrize(("within", "give_up"), [(0.0, never), (5.0, lambda: True)])
def test_a_command_that_is_cut_off_did_not_break(within: float, give_up: Callable[[], bool]) -> None:
    ran = follow(Session("#1"), within=within, give_up=give_up)
    assert (ran.code, ran.broken) == (None, "")
