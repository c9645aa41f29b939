"""What BuildKit's plain progress says of its steps: what a step printed that ended well is no failure."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import Final

_ENDED: Final = re.compile(rb"(?:^|[ |\t])#(\d{1,7}) (DONE|CACHED|ERROR|CANCELED)\b", re.MULTILINE)
#: A line that a step's own program wrote: number, seconds, text.
_PRINTED: Final = re.compile(rb"(?:^|[ |])#(\d{1,7}) \d{1,7}\.\d")
#: Beyond this many ends of steps the rest is not looked at: the text is no build's output.
_MOST_ENDS: Final = 100_000


class Steps:
    """The ends of the steps of a build, read once, when first asked."""

    def __init__(self, data: bytes) -> None:
        """Remember the whole text."""
        self._data = data
        self._ends: dict[bytes, tuple[list[int], list[bool]]] | None = None

    def ended_well(self, line: bytes, number: int) -> bool:
        """Say whether a (normalised) line is output of a step whose next end after line `number` is a good one."""
        printed = _PRINTED.search(line[:200])
        if printed is None:
            return False
        if self._ends is None:
            self._ends = self._read()
        lines, good = self._ends.get(printed.group(1), ([], []))
        place = bisect_left(lines, number)
        return place < len(lines) and good[place]

    def _read(self) -> dict[bytes, tuple[list[int], list[bool]]]:
        ends: dict[bytes, tuple[list[int], list[bool]]] = {}
        line, position = 1, 0
        for count, end in enumerate(_ENDED.finditer(self._data)):
            if count >= _MOST_ENDS:
                break
            line += self._data.count(b"\n", position, end.start(1))
            position = end.start(1)
            lines, good = ends.setdefault(end.group(1), ([], []))
            lines.append(line)
            good.append(end.group(2) in {b"DONE", b"CACHED"})
        return ends
