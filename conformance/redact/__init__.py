"""Take secrets out of everything before it reaches disk. Lines keep their numbers; what is no secret stays as it is.

What is recognised: private keys, tokens that tell themselves by their form, headers, userinfo in URLs, values whose
name says that they are secret (environment, flags, JSON, YAML), and the data of Secret objects. RE2, so linear time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from conformance.redact.manifests import redact_manifests
from conformance.redact.rules import (
    MARK,
    RULES,
    apply,
    is_basic,
    is_secret_flag,
    is_secret_name,
    is_value,
    may_hold_secrets,
)

__all__ = ["MARK", "data", "text"]

#: Characters up to which a text is worth remembering: names and reasons come again in every cell.
_SHORT: Final = 120
#: A text that still changes after so many passes is hostile; what was found is gone by then.
_PASSES: Final = 20

#: Names whose values are secret though their last word does not say so; compared in lower case.
_HEADERS: Final = {"authorization", "proxy-authorization", "cookie", "set-cookie", "x-registry-auth", "x-auth-token"}
_FILES: Final = {".dockerconfigjson", ".dockercfg", ".netrc", ".git-credentials"}


def text(raw: str) -> str:
    """Return a text without its secrets, each replaced by `[redacted]`, on the same number of lines."""
    return _short(raw) if len(raw) <= _SHORT else _any(raw)


def data(value: Any) -> Any:  # noqa: ANN401 - whatever JSON can hold
    """Return JSON-like data without its secrets; its shape and everything that is no text stay as they are."""
    match value:
        case str():
            return text(value)
        case Mapping():
            return _mapping(value)
        case list() | tuple():
            return type(value)(_items(value))
        case _:
            return value


def _mapping(value: Mapping[Any, Any]) -> dict[Any, Any]:
    hidden = {"data", "stringData"} if value.get("kind") == "Secret" else set()
    named = value.get("name")
    if isinstance(named, str) and is_secret_name(named):
        hidden |= {"value"}
    listed = value.get("kind") == "SecretList"
    out: dict[Any, Any] = {}
    for key, inner in value.items():
        if key in hidden:
            cleaned = _blank(inner)
        elif listed and key == "items" and isinstance(inner, list):
            cleaned = [
                _mapping({"kind": "Secret", **item}) if isinstance(item, Mapping) else data(item) for item in inner
            ]
        elif isinstance(key, str) and _is_secret_key(key, inner):
            cleaned = _blank(inner)
        else:
            cleaned = data(inner)
        out[text(key) if isinstance(key, str) else key] = cleaned
    return out


def _is_secret_key(key: str, inner: object) -> bool:
    if isinstance(inner, Mapping):
        return False
    if key.lower() in _HEADERS or key in _FILES:
        return True
    if key == "auth":
        return isinstance(inner, str) and is_basic(inner.encode("utf-8", "surrogatepass"))
    return is_secret_name(key)


def _blank(value: Any) -> Any:  # noqa: ANN401 - whatever JSON can hold
    """Replace every text in a value."""
    match value:
        case str():
            return MARK if is_value(value.encode("utf-8", "surrogatepass")) else value
        case Mapping():
            return {key: _blank(inner) for key, inner in value.items()}
        case list() | tuple():
            return type(value)(_blank(inner) for inner in value)
        case _:
            return value


def _items(values: Iterable[Any]) -> Iterable[Any]:
    """Yield the items of a list; in an argument vector, what follows `--password` is secret."""
    after_flag = False
    for value in values:
        if after_flag and isinstance(value, str) and not value.startswith("-"):
            yield _blank(value)
        else:
            yield data(value)
        after_flag = isinstance(value, str) and is_secret_flag(value)


@lru_cache(maxsize=4096)
def _short(raw: str) -> str:
    return _any(raw)


def _any(raw: str) -> str:
    before = raw.encode("utf-8", "surrogatepass")
    # What one pass takes away can uncover what a rule then sees, e.g. a second login on the same line.
    for _ in range(_PASSES):
        after = _once(before)
        if after == before:
            break
        before = after
    return before.decode("utf-8", "surrogatepass")


def _once(content: bytes) -> bytes:
    content = redact_manifests(content)
    if may_hold_secrets(content):
        for rule in RULES:
            content = apply(rule, content)
    return content
