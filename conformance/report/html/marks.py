"""How a cell looks in a table: a symbol and words, so that colour is never needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from conformance.model import Outcome, Result
from conformance.report import summary


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """A symbol, the words beside it, and a name for the style."""

    symbol: str
    words: str
    #: `builds`, `refused`, `doubtful` or `absent`.
    style: str


#: What each outcome means, for the legend and the list of cells that need a look.
OUTCOMES: Final = {
    Outcome.AS_CLAIMED: "what was seen is what is claimed",
    Outcome.UNEXPECTED_SUPPORT: "it builds, though a refusal is claimed",
    Outcome.UNEXPECTED_FAILURE: "it is refused, though support is claimed",
    Outcome.WRONG_CLASS: "it is refused, but by another class than is claimed",
    Outcome.INCONCLUSIVE: "something failed that says nothing about the builder",
    Outcome.NOT_RUN: "planned, but there is no result",
    Outcome.UNCLAIMED: "nothing is claimed, so nothing was compared",
}
#: How each outcome looks where outcomes are counted: symbol and style.
STYLES: Final = {
    Outcome.AS_CLAIMED: ("✔", "builds"),
    Outcome.UNEXPECTED_SUPPORT: ("!", "mixed"),
    Outcome.UNEXPECTED_FAILURE: ("✘", "refused"),
    Outcome.WRONG_CLASS: ("≠", "refused"),
    Outcome.INCONCLUSIVE: ("?", "doubtful"),
    Outcome.NOT_RUN: ("-", "absent"),
    Outcome.UNCLAIMED: ("○", "absent"),
}
#: Worst first.
NEED_A_LOOK: Final = (
    Outcome.UNEXPECTED_SUPPORT,
    Outcome.UNEXPECTED_FAILURE,
    Outcome.WRONG_CLASS,
    Outcome.INCONCLUSIVE,
    Outcome.NOT_RUN,
    Outcome.UNCLAIMED,
)


def mark(result: Result) -> Mark:
    """Return what was seen of a cell."""
    what = summary.seen(result)
    match result.outcome:
        case Outcome.NOT_RUN:
            return Mark(symbol="-", words=what, style="absent")
        case Outcome.INCONCLUSIVE:
            return Mark(symbol="?", words=what, style="doubtful")
        case _ if result.class_ is None:
            return Mark(symbol="✔", words=what, style="builds")
        case _:
            return Mark(symbol="✘", words=what, style="refused")


def against(result: Result) -> str:
    """Say how what was seen compares with the claim, in a few words."""
    match result.outcome:
        case Outcome.AS_CLAIMED:
            return "as claimed"
        case Outcome.UNCLAIMED:
            return "unclaimed"
        case Outcome.NOT_RUN:
            return f"claimed: {result.claim}" if result.claim else "nothing claimed"
        case Outcome.INCONCLUSIVE:
            return f"inconclusive; claimed: {result.claim}" if result.claim else "inconclusive"
        case _:
            return f"≠ claimed: {summary.claimed(result)}"
