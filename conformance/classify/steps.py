"""What BuildKit's plain progress says of its steps: what a step printed that ended well is no failure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

#: A line that a step's own program wrote: number, seconds, text.
_PRINTED: Final = re.compile(rb"(?:^|[ |])#(\d{1,7}) \d{1,7}\.\d")
_ENDED_WELL: Final = frozenset({b"DONE", b"CACHED"})
#: A step's end is looked for so far ahead, and so often in one text.
_BYTES_AHEAD: Final = 8 << 20
_MOST_LOOKS: Final = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class _Span:
    """From where to where the next end of a step is known."""

    start: int
    end: int
    well: bool


class Steps:
    """The ends of a build's steps, looked up where a rule matched what a step printed."""

    def __init__(self, data: bytes) -> None:
        """Remember the whole text."""
        self._data = data
        self._known: dict[bytes, _Span] = {}
        self._looks = 0

    def ended_well(self, line: bytes, position: int) -> bool:
        """Say whether a (normalised) line, which starts at `position` in the text, is output of a step that ended well.

        A later build may use the number again: the next end of that number after the line counts.
        """
        printed = _PRINTED.search(line[:200])
        if printed is None:
            return False
        number = printed.group(1)
        known = self._known.get(number)
        if known is None or not known.start <= position < known.end:
            if self._looks >= _MOST_LOOKS:
                return False
            self._looks += 1
            known = self._known[number] = self._look(number, position)
        return known.well

    def _look(self, number: bytes, position: int) -> _Span:
        ended = re.compile(rb"#%b (DONE|CACHED|ERROR|CANCELED)\b" % number)
        found = ended.search(self._data, position, position + _BYTES_AHEAD)
        if found is None:
            return _Span(start=position, end=position + _BYTES_AHEAD, well=False)
        return _Span(start=position, end=found.end(), well=found.group(1) in _ENDED_WELL)
