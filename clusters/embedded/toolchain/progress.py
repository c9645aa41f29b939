"""Show what is being built and for how long: one live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from clusters.embedded.toolchain.limits import LIMITS
from clusters.provider import Progress


class Step:
    """Something that takes a while: its title, how far it is, and since when it runs."""

    def __init__(self, title: str, detail: str) -> None:
        """Start the clock of a step with this title that is at this detail."""
        self.title = title
        self.detail = detail
        self._started = time.monotonic()

    def elapsed(self) -> str:
        """Return how long it has run, e.g. `2m10s`."""
        return duration(time.monotonic() - self._started)

    def line(self) -> str:
        """Return title, detail and elapsed time as one line."""
        return f"{self.title}: {self.detail} ... {self.elapsed()}"

    def __rich__(self) -> Spinner:
        """Return the live line; rich asks for it anew each time it refreshes."""
        return Spinner("dots", Text(self.line(), overflow="ellipsis", no_wrap=True))


class Show:
    """Where progress goes: whole lines to the caller, a live line to the terminal when there is one."""

    def __init__(self, progress: Progress, console: Console | None = None) -> None:
        """Tell `progress` each plain line; `console` is standard error unless given."""
        self.say = progress
        self._console = console or Console(stderr=True)

    @contextmanager
    def step(self, title: str, doing: str, done: str) -> Iterator[Step]:
        """Show a step while the block runs, what it is doing first; say `done` and how long it took if it ends well."""
        step = Step(title, doing)
        live = Live(step, console=self._console, transient=True, refresh_per_second=4)
        with live if self._console.is_terminal else self._plain(step):
            yield step
        self.say(f"{title}: {done} in {step.elapsed()}")

    @contextmanager
    def _plain(self, step: Step) -> Iterator[None]:
        self.say(f"{step.title}: {step.detail}")
        with _repeating(lambda: self.say(step.line()), LIMITS.heartbeat):
            yield


@contextmanager
def _repeating(action: Callable[[], None], seconds: float) -> Iterator[None]:
    over = Event()

    def repeat() -> None:
        while not over.wait(seconds):
            action()

    thread = Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def duration(seconds: float) -> str:
    """Turn seconds into `42s` or `2m10s`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"
