"""The data of Secret objects in YAML and JSON text."""

from __future__ import annotations

from typing import Final

import re2

from conformance.redact.rules import MARK

_MARK: Final = MARK.encode()
_OPTIONS: Final = re2.Options()
_OPTIONS.encoding = re2.Options.Encoding.LATIN1

_KIND: Final = re2.compile(rb"""^( *(?:- )?)kind:[ \t]+["']?Secret["']?[ \t\r]*$""", _OPTIONS)
_DATA: Final = re2.compile(rb"""^(?:data|stringData):[ \t\r]*$""", _OPTIONS)
_PAIR: Final = re2.compile(rb"""^([ \t]*(?:[^\s:#"'][^\s:]*|"[^"]*"|'[^']*'):[ \t]+)(\S.*?)(\r?)$""", _OPTIONS)

_JSON_KIND: Final = re2.compile(rb"""\\*"kind\\*"\s*:\s*\\*"Secret\\*\"""", _OPTIONS)
_JSON_DATA: Final = re2.compile(rb"""\\*"(?:data|stringData)\\*"\s*:\s*\{([^{}]*)\}""", _OPTIONS)
_JSON_PAIR: Final = re2.compile(rb"""(:\s*\\*")([^"\\\r\n]+)""", _OPTIONS)


def redact_manifests(content: bytes) -> bytes:
    """Blank the values under `data` and `stringData` of every Secret in a text."""
    if b"Secret" not in content:
        return content
    if _JSON_KIND.search(content) is not None:
        content = _in_json(content)
    return _in_yaml(content)


def _in_json(content: bytes) -> bytes:
    pieces: list[bytes] = []
    end = 0
    for found in _JSON_DATA.finditer(content):
        start, stop = found.span(1)
        pieces += [content[end:start], _JSON_PAIR.sub(lambda pair: pair[1] + _MARK, found[1])]
        end = stop
    return b"".join([*pieces, content[end:]])


def _in_yaml(content: bytes) -> bytes:
    lines = content.split(b"\n")
    done = 0
    for index, line in enumerate(lines):
        if index < done or (found := _KIND.match(line)) is None:
            continue
        column = len(found[1])
        first, last = _object(lines, index, column, done)
        _blank(lines, first, last, column)
        done = last
    return b"\n".join(lines)


def _column(line: bytes) -> int:
    """Return where a line's key begins, past the dash of a list's item."""
    bare = line.lstrip(b" ")
    return len(line) - len(bare) + (2 if bare.startswith(b"- ") else 0)


def _object(lines: list[bytes], index: int, column: int, done: int) -> tuple[int, int]:
    """Return the first line of the object around a line, and the one after its last."""
    first = index
    while first > done and not _starts_item(lines[first], column) and _belongs(lines[first - 1], column):
        first -= 1
    last = index + 1
    while last < len(lines) and _belongs(lines[last], column) and not _starts_item(lines[last], column):
        last += 1
    return first, last


def _belongs(line: bytes, column: int) -> bool:
    return not line.startswith(b"---") and (not line.strip() or _column(line) >= column)


def _starts_item(line: bytes, column: int) -> bool:
    return line[max(column - 2, 0) : column] == b"- " and not line[: column - 2].strip()


def _blank(lines: list[bytes], first: int, last: int, column: int) -> None:
    inside = False
    for number in range(first, last):
        line = lines[number]
        if not line.strip():
            continue
        if _column(line) == column:
            inside = _DATA.match(line[column:]) is not None
        elif inside:
            pair = _PAIR.match(line)
            indent = len(line) - len(line.lstrip())
            if pair is None:
                lines[number] = line if line.rstrip().endswith(b":") else line[:indent] + _MARK
            elif not pair[2].startswith((b"|", b">")):
                lines[number] = pair[1] + _MARK + pair[3]
