"""Keep texts within a size: head and tail stay, the cut says what is missing."""

from __future__ import annotations

from typing import Any, Final

#: Characters of one log, output or other source that are kept.
TEXT_LIMIT: Final = 2 * 1024 * 1024
#: Characters of one text inside a record that are kept, e.g. an event's message.
FIELD_LIMIT: Final = 64 * 1024
#: Of what is kept, the part that comes from the beginning; the end of a log tells more.
_HEAD: Final = 0.25


def cap(text: str, limit: int = TEXT_LIMIT) -> str:
    """Return a text of about `limit` characters at most, cut at line ends where there are any, with the cut marked."""
    if len(text) <= limit:
        return text
    head = text[: int(limit * _HEAD)]
    tail = text[len(text) - (limit - len(head)) :]
    head = head[: head.rfind("\n") + 1] or head
    tail = tail[tail.find("\n") + 1 :] if "\n" in tail[:-1] else tail
    cut = len(text) - len(head) - len(tail)
    lines = text.count("\n") - head.count("\n") - tail.count("\n")
    end = "" if head.endswith("\n") else "\n"
    return f"{head}{end}[cut: {cut} characters, {lines} lines]\n{tail}"


def cap_texts(value: Any, limit: int = FIELD_LIMIT) -> Any:  # noqa: ANN401 - whatever JSON can hold
    """Return JSON-like data with every text in it capped."""
    match value:
        case str():
            return cap(value, limit)
        case dict():
            return {key: cap_texts(inner, limit) for key, inner in value.items()}
        case list():
            return [cap_texts(inner, limit) for inner in value]
        case _:
            return value
