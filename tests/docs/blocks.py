"""Finds the commands that the documentation tells people to type."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

from clusters.paths import CHECKOUT

_FENCE: Final = re.compile(r"^(?P<indent> *)```(?P<language>\w*)")
_SHELLS: Final = frozenset({"sh", "shell", "bash", "console"})
_REASON: Final = re.compile(r"^ *<!-- not run: (?P<reason>\S.*) -->$")
_PROMPT: Final = re.compile(r"^(?:\$|#) ")
_OPERATORS: Final = re.compile(r"^[|&;]+$")
_REDIRECTION: Final = re.compile(r"^[<>]+$")
_ASSIGNMENT: Final = re.compile(r"^\w+=")


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """One program that is called: its words, without what leads to it (`uv run`) and without redirections."""

    where: str
    words: tuple[str, ...]
    #: Why it is not run, as its block says; empty: it is.
    reason: str


def pages() -> list[Path]:
    """Return every page that people read."""
    return [CHECKOUT / "README.md", CHECKOUT / "CONTRIBUTING.md", *sorted((CHECKOUT / "docs").rglob("*.md"))]


def commands(path: Path) -> Iterator[Command]:
    """Yield the commands of a page's shell blocks, in order."""
    name = str(path.relative_to(CHECKOUT)) if path.is_relative_to(CHECKOUT) else path.name
    block: list[tuple[int, str]] | None = None
    language = reason = indent = previous = ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        fence = _FENCE.match(line)
        if fence is not None and block is None:
            block, language, indent = [], fence["language"], fence["indent"]
            said = _REASON.match(previous)
            reason = said["reason"] if said else ""
        elif fence is not None and block is not None:
            if language in _SHELLS:
                yield from _of_block(name, block, reason)
            block = None
        elif block is not None:
            block.append((number, line.removeprefix(indent)))
        elif line.strip():
            previous = line
        if fence is not None:
            previous = ""


def _of_block(name: str, block: list[tuple[int, str]], reason: str) -> Iterator[Command]:
    prompted = any(_PROMPT.match(line) for _, line in block)
    number, typed = 0, ""
    for at, line in block:
        if not typed and prompted and not _PROMPT.match(line):
            continue  # what a program printed
        number = number or at
        typed += line if typed else (_PROMPT.sub("", line) if prompted else line)
        if typed.endswith("\\"):
            typed = typed[:-1]
            continue
        for words in _programs(typed):
            yield Command(where=f"{name}:{number}", words=words, reason=reason)
        number, typed = 0, ""


def _programs(line: str) -> Iterator[tuple[str, ...]]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    for is_operator, group in groupby(lexer, key=lambda word: _OPERATORS.match(word) is not None):
        if not is_operator:
            words = _plain(list(group))
            if words:
                yield words


def _plain(words: list[str]) -> tuple[str, ...]:
    """Leave out redirections, assignments and what only leads to a program."""
    kept = [
        word
        for number, word in enumerate(words)
        if not _REDIRECTION.match(word) and not (number and _REDIRECTION.match(words[number - 1]))
    ]
    while kept and (kept[0] in {"sudo", "export"} or _ASSIGNMENT.match(kept[0])):
        if kept[0] == "export":
            return ()
        kept = kept[1:]
    if kept[:2] == ["uv", "run"]:
        kept = kept[2:]
        while kept and kept[0].startswith("--"):
            kept = kept[1:]
    if kept[:3] == ["python", "-m", "conformance"]:
        kept = ["conformance", *kept[3:]]
    return tuple(kept)
