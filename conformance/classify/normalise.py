"""Bring texts of many tools into one form before they are matched; line numbers stay those of the original.

Escapes of terminals and of JSON, quotes within quotes, control characters and folded lines differ between the ways a
message travels (a log, `kubectl describe`, YAML, a quoted field of another log); the message does not.
The patterns here are fixed, bounded and without nested repetition, so the standard library's `re` is linear on them.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

#: A line break that is folded away (YAML, wrapped output) while the text is worked on.
_FOLD: Final = b"\x1d"
#: A line break that stood escaped (`\\n`) in the text: counts as no line, separates like one.
INNER: Final = b"\x0c"

_CONTROLS: Final = bytes(code for code in (*range(32), 127) if code not in b"\n\x1b")
_BLANKED: Final = bytes.maketrans(_CONTROLS, b" " * len(_CONTROLS))
_ANSI: Final = re.compile(rb"\x1b(?:\[[0-9;:?<=>]{0,40}[ -/]?[@-~]|\]\d{1,3};[^\x1b\n ]{0,200}(?:\x1b\\)?|[@-Z\\-_])")
_BARE_ANSI: Final = re.compile(rb"\[[0-9]{1,3}(?:;[0-9]{1,3}){0,4}m")
_ESCAPED: Final = (
    (b'\\"', b'"'),
    (b"\\'", b"'"),
    (b"\\n", INNER),
    (b"\\t", b" "),
    (b"\\r", b" "),
    (b"\\/", b"/"),
    (b"\\`", b"`"),
)
_UNICODE: Final = (
    (b"\\u003c", b"<"),
    (b"\\u003e", b">"),
    (b"\\u0026", b"&"),
    (b"\\u0027", b"'"),
    (b"\\u0022", b'"'),
    (b"\\u001b", b"\x1b"),
)
_ENTITIES: Final = ((b"&quot;", b'"'), (b"&#34;", b'"'), (b"&#39;", b"'"), (b"&lt;", b"<"), (b"&gt;", b">"))
_TYPOGRAPHIC: Final = (
    (b"\xe2\x80\x9c", b'"'),
    (b"\xe2\x80\x9d", b'"'),
    (b"\xe2\x80\x98", b"'"),
    (b"\xe2\x80\x99", b"'"),
    (b"\xe2\x80\x93", b"-"),
    (b"\xe2\x80\xa6", b"..."),
)
_LEVELS_OF_QUOTING: Final = 4
#: A deeper indented line that is no key, no list item and no row of a table goes on with the line before.
_BREAK: Final = re.compile(
    rb"\n(?= {6,}(?![A-Z][A-Za-z ]{0,60}:\s|[A-Za-z][\w./-]{0,60}:\s|(?:Warning|Normal) )[\"'(\[A-Za-z/])"
)


@dataclass(frozen=True, slots=True)
class Normal:
    """A text in the form that rules are written for."""

    text: bytes
    #: Where a blank stands for a line break of the original.
    folds: tuple[int, ...] = ()

    def breaks_before(self, position: int) -> int:
        """Return how many line breaks the original has before what stands at a position here."""
        return self.text.count(b"\n", 0, position) + bisect_left(self.folds, position)


def normalise(raw: bytes) -> Normal:
    """Bring a text into the form that rules are written for."""
    text = raw.translate(_BLANKED)
    if b"\x1b" in text:
        text = _ANSI.sub(b"", text).replace(b"\x1b", b" ")
    if b"\\" in text:
        text = _unescaped(text)
    if b"[0m" in text:
        text = _BARE_ANSI.sub(b"", text)
    if b"\xe2\x80" in text:
        text = _replaced(text, _TYPOGRAPHIC)
    if b"\xc2\xa0" in text:
        text = text.replace(b"\xc2\xa0", b" ")
    if b"&" in text:
        text = _replaced(text, _ENTITIES)
    if b"\n      " in text:
        text = _BREAK.sub(_FOLD, text)
    return _folded(text) if _FOLD in text else Normal(text)


def _folded(text: bytes) -> Normal:
    first, *others = text.split(_FOLD)
    # A quoted scalar of YAML escapes the blank that a folded line starts with.
    parts = [first.rstrip(b" "), *(part.strip(b" ").removeprefix(b"\\ ") for part in others)]
    ends = accumulate(len(part) + 1 for part in parts[:-1])
    return Normal(b" ".join(parts), tuple(end - 1 for end in ends))


def _unescaped(text: bytes) -> bytes:
    text = text.replace(b"\\\n", _FOLD).replace(b"\\ \n", _FOLD)
    for _ in range(_LEVELS_OF_QUOTING):
        if b"\\\\" not in text:
            break
        text = text.replace(b"\\\\", b"\\")
    text = _replaced(text, _ESCAPED)
    if b"\\u00" in text:
        text = _ANSI.sub(b"", _replaced(text, _UNICODE))
    return text


def _replaced(text: bytes, pairs: tuple[tuple[bytes, bytes], ...]) -> bytes:
    for old, new in pairs:
        text = text.replace(old, new)
    return text


def readable(raw: bytes) -> str:
    """Return a line as a person may read it: no terminal escapes, no control characters, what is no UTF-8 replaced."""
    return _ANSI.sub(b"", raw).translate(_BLANKED).replace(b"\x1b", b" ").decode("utf-8", "replace").strip()
