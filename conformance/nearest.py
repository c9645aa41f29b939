"""Sentences about a name that does not exist: what was meant, perhaps, and what there is."""

from __future__ import annotations

from collections.abc import Iterable

from rapidfuzz import fuzz, process

#: Below this likeness (0 to 100) a guess confuses more than it helps.
_LIKENESS = 60.0
#: A longer list is cut down to the names most like the one that was meant.
_MANY = 30
_FEW = 8


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """Return the choice most like a word, or None when none is like it."""
    found = process.extractOne(word, sorted(map(str, choices)), scorer=fuzz.WRatio, score_cutoff=_LIKENESS)
    return found[0] if found is not None else None


def unknown(kind: str, word: str, choices: Iterable[str], *, plural: str = "") -> str:
    """Say that a word names nothing of its kind, which name is nearest, and which there are."""
    known = sorted(map(str, choices))
    guess = nearest(word, known)
    meant = f" did you mean {guess!r}?" if guess is not None else ""
    listed = ", ".join(known) if known else "there are none"
    if len(known) > _MANY:
        few = process.extract(word, known, scorer=fuzz.WRatio, limit=_FEW)
        listed = f"{', '.join(sorted(name for name, _, _ in few))} and {len(known) - _FEW} more"
    return f"unknown {kind} {word!r}:{meant or ' nothing is named like that.'} Known {plural or kind + 's'}: {listed}"
