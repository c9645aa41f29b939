"""Find which rules match a text, in linear time: one RE2 set over chunks of it, then single rules where the set hit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import re2

from conformance.classify.catalogue import CLASSES
from conformance.classify.normalise import Normal, normalise, readable
from conformance.classify.records import FailureClass, Hit, Rule
from conformance.classify.steps import Steps
from conformance.model import Evidence, SourceKind

_CHUNK: Final = 256 * 1024
#: Chunks overlap by this much, so that context and folded or very long lines are not cut.
_OVERLAP: Final = 4 * 1024
#: `near` and `unless_near` look at so many lines, and so many bytes, before and after.
_LINES_AROUND: Final = 10
_BYTES_AROUND: Final = 6 * 1024
_LONGEST_EVIDENCE: Final = 1000
#: A rule whose matches were refused by their context so often in one text is tried only at the end of the text, where
#: what failed stands.
_MOST_REFUSALS: Final = 100
_END: Final = 8 * 1024
_DFA_MEMORY: Final = 512 << 20
#: Matches everything: tells "no rule matches" from "the set gave up".
_ALWAYS: Final = b""


def _options(memory: int) -> Any:  # noqa: ANN401 — re2 ships no types
    options = re2.Options()
    options.case_sensitive = False
    # Bytes as they come: texts need not be UTF-8, offsets need no conversion.
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    options.max_mem = memory
    return options


@cache
def compiled(pattern: str) -> Any:  # noqa: ANN401 — re2 ships no types
    """Return the pattern ready to search bytes. Raises re2.error when it is none."""
    return re2.compile(pattern.encode("ascii"), _options(8 << 20))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Numbered:
    index: int
    class_: FailureClass
    rule: Rule

    def applies(self, kind: SourceKind) -> bool:
        kinds = self.rule.kinds if self.rule.kinds is not None else self.class_.kinds
        return kind in kinds


class _Rules:
    """All rules and the set that finds them."""

    def __init__(self) -> None:
        self.rules = tuple(
            _Numbered(index=index, class_=class_, rule=rule)
            for index, (class_, rule) in enumerate((c, r) for c in CLASSES.values() for r in c.rules)
        )
        self.set = re2.Set.SearchSet(_options(_DFA_MEMORY))
        for numbered in self.rules:
            self.set.Add(numbered.rule.pattern.encode("ascii"))
        self.set.Add(_ALWAYS)
        self.set.Compile()

    def matching(self, text: bytes) -> list[int]:
        """Return the numbers of the rules that match somewhere."""
        found = self.set.Match(text)
        if found is None:
            # Not even the empty pattern: the set ran out of memory, which must not look like "nothing matches".
            return [n.index for n in self.rules if compiled(n.rule.pattern).search(text) is not None]
        return [index for index in found if index < len(self.rules)]


@cache
def _rules() -> _Rules:
    return _Rules()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Chunk:
    raw: bytes
    normal: Normal
    #: Where the chunk starts in the whole text.
    start: int
    #: Number of the first line, from 1.
    first_line: int
    last: bool

    @property
    def text(self) -> bytes:
        return self.normal.text

    def line_at(self, position: int) -> int:
        return self.first_line + self.normal.breaks_before(position)

    def offset(self, line: int) -> int:
        """Return where a line starts in the whole text."""
        position = 0
        for _ in range(line - self.first_line):
            position = self.raw.find(b"\n", position) + 1
        return self.start + position

    def statement(self, position: int) -> tuple[int, int]:
        """Return where the line around a position starts and ends, folds included."""
        start = self.text.rfind(b"\n", 0, position) + 1
        end = self.text.find(b"\n", position)
        return start, len(self.text) if end < 0 else end

    def around(self, start: int, end: int) -> bytes:
        """Return some lines before, with and after a place."""
        low, high = start, end
        for _ in range(_LINES_AROUND + 1):
            low = self.text.rfind(b"\n", 0, low) if low > 0 else -1
            if low < 0:
                break
        for _ in range(_LINES_AROUND + 1):
            high = self.text.find(b"\n", high + 1)
            if high < 0:
                high = len(self.text)
                break
        return self.text[max(low, start - _BYTES_AROUND, 0) : min(high, end + _BYTES_AROUND)]


def scan(data: bytes, *, kind: SourceKind, file: str, order: int = 0) -> list[Hit]:
    """Return the first acceptable match of each rule that applies to this kind of source, in order of lines."""
    rules, steps = _rules(), Steps(data)
    hits: dict[int, Hit] = {}
    refusals: dict[int, int] = {}
    for chunk in _chunks(data):
        for index in rules.matching(chunk.text):
            numbered = rules.rules[index]
            tired = refusals.get(index, 0) > _MOST_REFUSALS and not chunk.last
            if index in hits or tired or not numbered.applies(kind):
                continue
            hit, refused = _first_hit(numbered, chunk, steps, file, order)
            refusals[index] = refusals.get(index, 0) + refused
            if hit is not None:
                hits[index] = hit
    return sorted(hits.values(), key=lambda hit: hit.evidence.line)


def _chunks(data: bytes) -> Iterator[_Chunk]:
    start, line = 0, 1
    while start < len(data):
        end = min(start + _CHUNK, len(data))
        if end < len(data):
            end = data.rfind(b"\n", start, end) + 1 or end
        low = start if start == 0 else data.rfind(b"\n", max(0, start - _OVERLAP), start - 1) + 1 or start - _OVERLAP
        high = data.find(b"\n", end, end + _OVERLAP) if end < len(data) else end
        high = min(end + _OVERLAP, len(data)) if high < 0 else high
        raw = data[low:high]
        first_line = line - data.count(b"\n", low, start)
        yield _Chunk(raw=raw, normal=normalise(raw), start=low, first_line=first_line, last=end == len(data))
        line += data.count(b"\n", start, end)
        start = end


def _first_hit(numbered: _Numbered, chunk: _Chunk, steps: Steps, file: str, order: int) -> tuple[Hit | None, int]:
    rule, refused = numbered.rule, 0
    for match in _matches(rule, chunk):
        start, end = chunk.statement(match.start())
        line = chunk.line_at(match.start())
        rest = chunk.text[match.start() : min(end, match.start() + _BYTES_AROUND)].decode("latin-1")
        if _accepted(rule, chunk, match, rest) and not steps.ended_well(chunk.text[start:end], chunk.offset(line)):
            evidence = Evidence(file=file, line=line, text=_quoted(chunk, line, match.start()))
            detail = rule.detail(_from(chunk, match.start())) if rule.detail else ""
            found = Hit(
                class_=numbered.class_, tier=rule.tier, evidence=evidence, also=rule.also, detail=detail, order=order
            )
            return found, refused
        refused += 1
    return None, refused


def _matches(rule: Rule, chunk: _Chunk) -> Iterator[Any]:
    """Yield some matches from the start on, and in any case those at the end of the text."""
    pattern, position = compiled(rule.pattern), 0
    for number, match in enumerate(pattern.finditer(chunk.text)):
        yield match
        position = match.end()
        if number > _MOST_REFUSALS:
            break
    else:
        return
    if chunk.last:
        yield from pattern.finditer(chunk.text, max(position, len(chunk.text) - _END))


def _accepted(rule: Rule, chunk: _Chunk, match: Any, rest: str) -> bool:  # noqa: ANN401 — re2 ships no types
    if rule.check is not None and not rule.check(rest):
        return False
    if rule.unless:
        start, end = chunk.statement(match.start())
        line = chunk.text[max(start, match.start() - _BYTES_AROUND) : min(end, match.end() + _BYTES_AROUND)]
        if compiled(rule.unless).search(line) is not None:
            return False
    if not rule.near and not rule.unless_near:
        return True
    around = chunk.around(match.start(), match.end())
    if rule.near and compiled(rule.near).search(around) is None:
        return False
    return not rule.unless_near or compiled(rule.unless_near).search(around) is None


def _from(chunk: _Chunk, position: int) -> str:
    return chunk.text[position : position + _BYTES_AROUND].decode("utf-8", "replace")


def _quoted(chunk: _Chunk, line: int, position: int) -> str:
    """Return the original line; of a very long one, the part around the match."""
    raw = chunk.raw.split(b"\n")[line - chunk.first_line]
    if len(raw) <= _LONGEST_EVIDENCE:
        return readable(raw)
    start, end = chunk.statement(position)
    low, high = max(start, position - _LONGEST_EVIDENCE // 4), min(end, position + 3 * _LONGEST_EVIDENCE // 4)
    return ("… " if low > start else "") + readable(chunk.text[low:high]) + (" …" if high < end else "")
