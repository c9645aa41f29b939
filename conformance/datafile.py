"""Read the data files under `matrices/`: TOML in, frozen records out, every fault of a file at once with its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from conformance.errors import UsageError
from conformance.nearest import nearest

RecordT = TypeVar("RecordT", bound=BaseModel)

#: Where a value stands in a file, e.g. `("claims", 3, "expect")`.
Location = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")

#: What pydantic calls a wrong type, and how a person calls it.
_TYPES = {
    "string_type": "a text",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "tuple_type": "a list",
    "list_type": "a list",
}


def read(
    path: Path, model: type[RecordT], *, also: dict[str, Any] | None = None, ours: frozenset[str] = frozenset()
) -> RecordT:
    """Read a TOML file into a record; `also` adds values the file must not give (such as a name taken from its stem).

    `ours` names keys that are never a file's to give, so that no message offers them.

    Raises UsageError with every fault of the file, each with its line, its key and the nearest known key.
    """
    text = _text(path)
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: this is no TOML: {error}. Correct that line") from error
    given = [key for key in also or {} if key in values]
    if given:
        raise UsageError(*(f"{path}: remove the key {key!r}: it is the file's name that says so" for key in given))
    try:
        return model.model_validate(values | (also or {}))
    except ValidationError as error:
        lines = line_numbers(text)
        hidden = ours | set(also or {})
        raise UsageError(*(_fault(path, model, lines, detail, hidden) for detail in error.errors())) from error


def line_numbers(text: str) -> dict[Location, int]:
    """Return the 1-based line of every table and key of a TOML text."""
    lines: dict[Location, int] = {}
    counts: dict[Location, int] = {}
    table: Location = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _parts(header[2])
            if header[1] == "[[":
                index = counts.get(table, -1) + 1
                counts[table] = index
                table = (*table, index)
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            lines.setdefault((*table, *_parts(key[1])), number)
    return lines


def line_of(lines: dict[Location, int], where: Location) -> int | None:
    """Return the line of a location, or of the nearest thing that holds it; None when even its table is absent."""
    for end in range(len(where), 0, -1):
        if (number := lines.get(where[:end])) is not None:
            return number
    return None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        near = nearest(path.name, (other.name for other in path.parent.glob("*.toml")))
        hint = f"; did you mean {near}?" if near is not None else ": check its path"
        raise UsageError(f"{path}: there is no such file{hint}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path}: cannot be read ({error}): check its permissions and that it is UTF-8 text"
        ) from error


def _parts(name: str) -> Location:
    return tuple(part.strip("\"'") for part in _PART.findall(name))


def _fault(
    path: Path, model: type[BaseModel], lines: dict[Location, int], detail: ErrorDetails, hidden: frozenset[str]
) -> str:
    where: Location = detail["loc"]
    number = line_of(lines, where)
    prefix = f"{path}:{number}" if number is not None else str(path)
    return f"{prefix}: {_sentence(model, where, detail, hidden)}"


def _sentence(model: type[BaseModel], where: Location, detail: ErrorDetails, hidden: frozenset[str]) -> str:
    key = _dotted(where)
    kind = detail["type"]
    value = detail["input"]
    if kind == "extra_forbidden":
        known = _keys(model, where[:-1]) - hidden
        near = nearest(str(where[-1]), known)
        meant = f"did you mean {near!r}?" if near is not None else "remove it."
        return f"unknown key {key!r}: {meant} Known keys: {', '.join(sorted(known))}"
    if kind == "missing":
        return f"the key {key!r} is missing: add it"
    if kind in _TYPES:
        return f"{key!r} must be {_TYPES[kind]}, not {value!r}"
    if kind == "enum":
        expected = str(detail.get("ctx", {}).get("expected", ""))
        near = nearest(str(value), re.findall(r"'([^']+)'", expected))
        meant = f"; did you mean {near!r}?" if near is not None else ""
        return f"{key!r} is {value!r}, which is not one of {expected}{meant}"
    said = detail["msg"].removeprefix("Value error, ")
    if isinstance(value, dict):
        # Several keys that do not go together: none of them is wrong by itself.
        return f"{key!r}: {said}" if key else said
    return f"{key!r} is {value!r}: {said}"


def _dotted(where: Sequence[str | int]) -> str:
    text = ""
    for part in where:
        text += f"[{part + 1}]" if isinstance(part, int) else (f".{part}" if text else part)
    return text


def _keys(model: type[BaseModel], where: Location) -> set[str]:
    """Return the keys that may stand at a location, found by walking the models' fields."""
    current: type[BaseModel] | None = model
    for part in where:
        if current is None or isinstance(part, int):
            continue
        field = current.model_fields.get(part)
        current = _model_in(field.annotation) if field is not None else None
    return set(current.model_fields) if current is not None else set()


def _model_in(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - an annotation is any object
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _model_in(inner)) is not None), None)
