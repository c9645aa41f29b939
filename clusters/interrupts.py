"""SIGTERM and SIGHUP treated as Ctrl-C is, and all of them held back while something must be finished.

Signals reach the main thread alone. What other threads do is given up by an event, which whatever waits looks at.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Event, Thread
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_GIVEN_UP: ContextVar[Event | None] = ContextVar("given_up", default=None)


@contextmanager
def given_up_by(event: Event) -> Iterator[None]:
    """Let what this thread waits for in the block be given up as soon as the event is set: see `check`."""
    token = _GIVEN_UP.set(event)
    try:
        yield
    finally:
        _GIVEN_UP.reset(token)


def check() -> bool:
    """Raise KeyboardInterrupt if what this thread does has been given up; say whether that can happen at all."""
    event = _GIVEN_UP.get()
    if event is not None and event.is_set():
        raise KeyboardInterrupt("given up")
    return event is not None


def when_given_up(act: Callable[[], None], *, every: float) -> Callable[[], None]:
    """Call `act` from another thread as soon as what this thread does is given up, looking `every` seconds.

    Return what ends the watching.
    """
    event, done = _GIVEN_UP.get(), Event()
    if event is None:
        return done.set

    def watch() -> None:
        while not done.wait(every):
            if event.is_set():
                act()
                return

    Thread(target=watch, daemon=True).start()
    return done.set


@contextmanager
def as_interrupts() -> Iterator[None]:
    """Raise KeyboardInterrupt in the main thread for any of SIGNALS while the block runs."""
    with _handled_by(_interrupt):
        yield


@contextmanager
def held_back() -> Iterator[None]:
    """Ignore SIGNALS while the block runs: a removal that is interrupted would only have to be done again."""
    with _handled_by(signal.SIG_IGN):
        yield


@contextmanager
def _handled_by(handler: object) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in SIGNALS}  # type: ignore[arg-type]
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def _interrupt(number: int, frame: FrameType | None) -> None:
    del frame
    raise KeyboardInterrupt(signal.Signals(number).name)
