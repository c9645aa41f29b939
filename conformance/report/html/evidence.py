"""The lines around a cited line, read from the cell's own files."""

from __future__ import annotations

from typing import Any, Final

from conformance.artifacts import RunFolder
from conformance.model import Evidence

#: Lines shown before and after the cited one.
_AROUND: Final = 3
#: Characters of a line that are shown; the file has all of it.
_WIDTH: Final = 2000


def cited(folder: RunFolder, cell: str, evidence: Evidence) -> dict[str, Any]:
    """Return a piece of evidence with the numbered lines around it."""
    return {
        "file": evidence.file,
        "line": evidence.line,
        "text": clipped(evidence.text),
        "around": around(folder, cell, evidence),
    }


def clipped(text: str) -> str:
    """Return a text of a length that can be read."""
    return text if len(text) <= _WIDTH else f"{text[:_WIDTH]} [{len(text) - _WIDTH} more characters]"


def around(folder: RunFolder, cell: str, evidence: Evidence) -> list[tuple[int, str]]:
    """Return the lines around a cited one with their numbers; none where a fact is cited or the file is gone."""
    text = folder.read_text(cell, evidence.file) if evidence.line > 0 else None
    if text is None:
        return []
    # Only `\n` ends a line: progress bars end theirs with `\r`, and the numbers must be those of the file.
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    first = max(1, evidence.line - _AROUND)
    return [(first + offset, clipped(line)) for offset, line in enumerate(lines[first - 1 : evidence.line + _AROUND])]
