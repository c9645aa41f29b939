"""The JSON schemas of a run's files: `python -m conformance.schema` writes them, `--check` finds stale ones."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from clusters.paths import CHECKOUT
from conformance.model import SCHEMA_VERSION, Cell, Observation, Result, Run
from conformance.publish import Published
from conformance.report.json import Report
from conformance.shards import Sharded

FOLDER: Final = CHECKOUT / "docs" / "reference" / "schema"

#: By the file it describes; a line of it where the file has lines.
_MODELS: Final[Mapping[str, type[BaseModel]]] = {
    "run": Run,
    "plan": Cell,
    "results": Result,
    "observation": Observation,
    "report": Report,
    "published": Published,
    "shards": Sharded,
}


def generate() -> dict[str, str]:
    """Return the text of each schema file by its name."""
    return {f"{name}.schema.json": _text(_schema(name, model)) for name, model in _MODELS.items()}


def stale(folder: Path = FOLDER) -> tuple[str, ...]:
    """Return the names of schema files that are missing, differ from what is generated, or belong to nothing."""
    fresh = generate()
    kept = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.schema.json")}
    return tuple(sorted(name for name in {*fresh, *kept} if fresh.get(name) != kept.get(name)))


def write(folder: Path = FOLDER) -> None:
    """Write every schema file and remove those that belong to nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    fresh = generate()
    for path in folder.glob("*.schema.json"):
        if path.name not in fresh:
            path.unlink()
    for name, text in fresh.items():
        (folder / name).write_text(text, encoding="utf-8")


def main(arguments: Sequence[str]) -> int:
    """Write the schemas, or with `--check` say which are stale and return 1."""
    if "--check" not in arguments:
        write()
        return 0
    names = stale()
    for name in names:
        sys.stderr.write(f"{FOLDER / name} is stale: run `python -m conformance.schema`\n")
    return 1 if names else 0


def _schema(name: str, model: type[BaseModel]) -> dict[str, Any]:
    content = model.model_json_schema(by_alias=True, mode="serialization")
    _drop_excluded(content)
    content["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    content["$id"] = f"{name}.schema.json"
    if name in {"plan", "results"}:
        # These lines carry the version beside the record.
        content["properties"] = {"schema_version": {"const": SCHEMA_VERSION}, **content["properties"]}
        content["required"] = ["schema_version", *content["required"]]
    return content


def _drop_excluded(content: dict[str, Any]) -> None:
    """Remove what records keep out of their files: a source's text is a file of its own."""
    source = content.get("$defs", {}).get("Source")
    if source is not None:
        source["properties"].pop("text", None)
        source["required"] = [key for key in source["required"] if key != "text"]


def _text(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
