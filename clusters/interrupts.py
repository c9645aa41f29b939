"""SIGTERM and SIGHUP treated as Ctrl-C is, and all of them held back while something must be finished."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


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
