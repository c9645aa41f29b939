"""Sentences about a name that does not exist: what was meant, perhaps, and what there is."""

from __future__ import annotations

from collections.abc import Iterable

from rapidfuzz import fuzz, process

#: Below this likeness (0 to 100) a guess confuses more than it helps.
_LIKENESS = 60.0


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
    return f"unknown {kind} {word!r}:{meant or ' nothing is named like that.'} Known {plural or kind + 's'}: {listed}"
