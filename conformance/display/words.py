"""How verdicts and times are written while a run goes on."""

from __future__ import annotations

from collections import Counter
from typing import Final

from rich.text import Text

from conformance.model import Outcome, Result, Role
from conformance.report.html.inert import visible

MARKS: Final = {
    Outcome.AS_CLAIMED: ("✔", "green"),
    Outcome.UNCLAIMED: ("○", "cyan"),
    Outcome.NOT_RUN: ("-", "dim"),
    Outcome.INCONCLUSIVE: ("?", "yellow"),
    Outcome.UNEXPECTED_SUPPORT: ("!", "bold magenta"),
    Outcome.UNEXPECTED_FAILURE: ("✘", "bold red"),
    Outcome.WRONG_CLASS: ("≠", "bold red"),
}


def line(text: str, *, elapsed: float) -> Text:
    """Return a line that stays, with the seconds since the run began; nothing in it moves the cursor."""
    return Text(f"{elapsed:6.1f}s  {visible(text)}")


def verdict(result: Result, *, done: int, total: int, elapsed: float) -> Text:
    """Return a cell's verdict in a line."""
    count = "control" if result.role is Role.CONTROL else f"{done:3}/{total}"
    mark, style = MARKS[result.outcome]
    seen = "not run" if result.outcome is Outcome.NOT_RUN else result.class_ or "builds"
    text = Text(f"{elapsed:6.1f}s  [{count:>7}] ")
    text.append(f"{mark} {result.outcome}", style=style)
    text.append(visible(f"  {result.cell}: {seen} ({result.seconds:.1f} s)"))
    if result.reason:
        text.append(visible(f" - {result.reason.splitlines()[0]}"), style="dim")
    return text


def tally(outcomes: Counter[Outcome]) -> Text:
    """Return how many cells ended how, in a few characters; those are named in the list of verdicts above."""
    text = Text()
    for outcome, (mark, style) in MARKS.items():
        if outcomes[outcome]:
            text.append(f" {mark} {outcomes[outcome]}", style=style)
    return text


def clock(seconds: float) -> str:
    """Return a time as `0:41` or `1:02:03`."""
    minutes, rest = divmod(int(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def roughly(seconds: float) -> str:
    """Return a time that is only estimated, no more exact than it is."""
    if seconds < 90:  # noqa: PLR2004 - where minutes become easier to read
        return f"{max(10, round(seconds, -1)):.0f} s"
    return f"{seconds / 60:.0f} min"
