"""Make any text safe to stand in the page: visible as it is, and never markup."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from typing import Any, Final

from markupsafe import Markup

#: What draws nothing or reorders what stands around it: controls (not tab and line end), bidirectional marks
#: (https://www.unicode.org/reports/tr9/), zero-width marks, and halves of surrogate pairs.
_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
#: What could end a script element or start a comment in it, as JSON may write it too.
_encode: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
#: How JSON writes controls; everything else that draws nothing stands in it as it is, and is not printable.
_ESCAPED: Final = re.compile(r"\\[ubfr]")
_MARKUP: Final = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


def visible(text: str) -> str:
    """Return a text with everything in it that draws nothing shown by name, e.g. `\u241b` or `[U+202E]`."""
    return _UNSEEN.sub(_name, text) if not text.isprintable() else text


def payload(records: Iterable[Any]) -> Markup:
    """Return records as a JSON array that can stand in a script element: visible, without `<`, `>` and `&`."""
    text = f"[{','.join(map(_json, records))}]"
    for character, escape in _MARKUP.items():
        text = text.replace(character, escape)
    return Markup(text)  # noqa: S704 - nothing in it can be markup: see above


def _json(value: Any) -> str:  # noqa: ANN401 - whatever JSON can hold
    text = _encode(value)
    # Looking at each text of a record costs more than all the rest; most records need none of it.
    return text if text.isprintable() and not _ESCAPED.search(text) else _encode(shown(value))


def shown(value: Any) -> Any:  # noqa: ANN401 - whatever JSON can hold
    """Return JSON-like data with every text in it made visible."""
    match value:
        case str():
            return visible(value)
        case dict():
            return {visible(key): shown(inner) for key, inner in value.items()}
        case list() | tuple():
            return [shown(inner) for inner in value]
        case _:
            return value


def digest(text: str) -> str:
    """Return a text's hash as a Content-Security-Policy names it."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _name(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:  # noqa: PLR2004 - the C0 controls
        return chr(0x2400 + code)
    return f"[U+{code:04X}]"
