"""What a person sees while a run goes on: lines that stay, and on a terminal one live line under them."""

from __future__ import annotations

import time

from rich.console import Console
from rich.status import Status
from rich.text import Text

from conformance.model import Outcome, Result, Role

_MARKS = {
    Outcome.AS_CLAIMED: ("✔", "green"),
    Outcome.UNCLAIMED: ("○", "cyan"),
    Outcome.NOT_RUN: ("-", "dim"),
    Outcome.INCONCLUSIVE: ("?", "yellow"),
    Outcome.UNEXPECTED_SUPPORT: ("!", "bold magenta"),
    Outcome.UNEXPECTED_FAILURE: ("✘", "bold red"),
    Outcome.WRONG_CLASS: ("≠", "bold red"),
}


#: Columns where there is no terminal to ask: a log is read with room to spare.
_LOG_WIDTH = 160


def result_console() -> Console:
    """Return the console that results go to: standard output."""
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = _LOG_WIDTH
    return console


class Display:
    """Progress of one run, on standard error so that standard output stays the result."""

    def __init__(self, total: int) -> None:
        """Show `total` selected cells."""
        self.console = result_console()
        self._progress = Console(stderr=True, highlight=False, soft_wrap=True)
        self._total = total
        self._done = 0
        self._started = time.monotonic()
        self._running: list[str] = []
        self._status: Status | None = None
        if self._progress.is_terminal:
            self._status = Status("starting", console=self._progress)
            self._status.start()

    def say(self, text: str) -> None:
        """Show a line that stays, with the time since the run began."""
        self._progress.print(Text(f"{time.monotonic() - self._started:6.1f}s  {text}"))
        self._refresh(text)

    def began(self, cell: str) -> None:
        """Show that a cell runs."""
        self._running.append(cell)
        self._refresh()

    def ended(self, result: Result) -> None:
        """Show a cell's verdict."""
        if result.cell in self._running:
            self._running.remove(result.cell)
        if result.role is Role.SELECTED:
            self._done += 1
        count = "control" if result.role is Role.CONTROL else f"{self._done:3}/{self._total}"
        mark, style = _MARKS[result.outcome]
        seen = "not run" if result.outcome is Outcome.NOT_RUN else result.class_ or "builds"
        line = Text(f"{time.monotonic() - self._started:6.1f}s  [{count:>7}] ")
        line.append(f"{mark} {result.outcome}", style=style)
        line.append(f"  {result.cell}: {seen} ({result.seconds:.1f} s)")
        if result.reason:
            line.append(f" - {result.reason.splitlines()[0]}", style="dim")
        self._progress.print(line)
        self._refresh()

    def close(self) -> None:
        """Take the live line away."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _refresh(self, text: str = "") -> None:
        if self._status is not None:
            now = text or f"{self._done}/{self._total} cells; running: {', '.join(self._running) or 'none'}"
            self._status.update(Text(now[: self._progress.width - 4]))
