"""What the server made of the pod that was asked for: what it left out or changed, and what it added."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

Json = Any
Change = tuple[str, str]
#: Fields every admitted pod gets for itself alone: where and as whom it runs.
_OWN: Final = frozenset({"nodeName", "serviceAccount", "serviceAccountName"})


def difference(rendered: Mapping[str, Json], admitted: Mapping[str, Json]) -> dict[str, list[Change]]:
    """Return `changed` (asked for, but admitted otherwise or not at all) and `added`, each a path and what differs.

    Only the spec is compared; lists of named things (containers, volumes, ports) are compared by name.
    """
    changed: list[Change] = []
    added: list[Change] = []
    if rendered and admitted:
        for path, asked, got in _compare("spec", rendered.get("spec", {}), admitted.get("spec", {})):
            if asked is _ABSENT:
                added.append((path, _text(got)))
            else:
                changed.append((path, f"asked for {_text(asked)}, admitted {_text(got)}"))
    return {"changed": changed, "added": added}


class _Absent:
    """Stands for a field that is not there; null is a value."""


_ABSENT: Final = _Absent()


def _compare(path: str, asked: Json, got: Json) -> Iterator[tuple[str, Json, Json]]:
    if asked == got:
        return
    asked, got = _by_name(asked), _by_name(got)
    if not isinstance(asked, Mapping) or not isinstance(got, Mapping):
        # An empty object and a missing one mean the same to the API.
        if not (asked is _ABSENT and got in ({}, [], None)) and not (got is _ABSENT and asked in ({}, [], None)):
            yield path, asked, got
        return
    for key in dict.fromkeys((*asked, *got)):
        if key not in _OWN or path != "spec":
            yield from _compare(f"{path}.{key}", asked.get(key, _ABSENT), got.get(key, _ABSENT))


def _by_name(value: Json) -> Json:
    """Return a list of named objects as a mapping; anything else as it is."""
    if isinstance(value, list) and value and all(isinstance(item, Mapping) and "name" in item for item in value):
        named = {f"[{item['name']}]": item for item in value}
        if len(named) == len(value):
            return named
    return value


def _text(value: Json) -> str:
    return "nothing" if value is _ABSENT else json.dumps(value, ensure_ascii=False)
