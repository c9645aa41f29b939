"""The values of charts/build-sidecar, judged by its schema alone: no helm needed."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from clusters.paths import CHECKOUT

CHART = CHECKOUT / "charts" / "build-sidecar"
SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())
DEFAULTS: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
VALIDATOR = Draft7Validator(SCHEMA)

Path = tuple[str, ...]


def test_schema_is_a_valid_schema() -> None:
    Draft7Validator.check_schema(SCHEMA)


def test_defaults_satisfy_the_schema() -> None:
    assert [error.message for error in VALIDATOR.iter_errors(DEFAULTS)] == []


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    definitions: dict[str, dict[str, Any]] = SCHEMA["definitions"]
    return definitions[schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema


def _ours(schema: dict[str, Any], path: Path = ()) -> Iterator[Path]:
    """Yield the path of every object whose keys the chart defines, i.e. all that list properties."""
    schema = _resolved(schema)
    if "properties" in schema:
        yield path
        for key, inner in schema["properties"].items():
            yield from _ours(inner, (*path, key))


def _with(path: Path, value: object) -> dict[str, Any]:
    """Return the defaults with one value set."""
    values = copy.deepcopy(DEFAULTS)
    place = values
    for key in path[:-1]:
        place = place.setdefault(key, {})
    place[path[-1]] = value
    return values


@pytest.mark.parametrize("path", sorted(_ours(SCHEMA)), ids=lambda path: ".".join(path) or "top")
def test_schema_refuses_an_unknown_key_at_every_level(path: Path) -> None:
    errors = [error.message for error in VALIDATOR.iter_errors(_with((*path, "typo"), "x"))]
    assert any("'typo' was unexpected" in message for message in errors)


def test_schema_refuses_an_unknown_key_of_a_registry() -> None:
    assert not VALIDATOR.is_valid(_with(("config", "registries"), {"r:5000": {"htpp": True}}))
    assert VALIDATOR.is_valid(_with(("config", "registries"), {"r:5000": {"http": True}}))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("transport.type", "tpc"),
        ("transport.port", 0),
        ("volumePreparation.method", "fs-group"),
        ("volumePreparation.owner", "user; rm"),
        ("builder.stateDirectory", "relative"),
        ("builder.image", ""),
        ("builder.socketGroup", "1000"),
        ("builder.securityContext.runAsUser", "0"),
        ("builder.securityContext.seccompProfile.type", "Default"),
        ("builder.readinessProbe.periodSeconds", 0),
        ("config.maxParallelism", 1.5),
        ("config.gc.reservedSpace", "a lot"),
        ("config.files", {"buildkitd.toml": ""}),
        ("volumes.state.medium", "memory"),
        ("pod.spec.hostUsers", "false"),
        ("pod.spec.containers", []),
    ],
)
def test_schema_refuses_a_wrong_value(path: str, value: object) -> None:
    assert not VALIDATOR.is_valid(_with(tuple(path.split(".")), value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("pod.spec.hostUsers", False),
        ("pod.spec.dnsConfig", {"nameservers": ["10.0.0.1"]}),
        ("builder.securityContext.procMount", "Unmasked"),
        ("builder.securityContext.seccompProfile", {"type": "Localhost", "localhostProfile": "p.json"}),
        ("builder.socketGroup", 1000),
        ("config.gc.maxUsedSpace", "10%"),
        ("config.gc.minFreeSpace", "2GB"),
        ("volumes.state.sizeLimit", "512Mi"),
        ("global", {"parent": 1}),
    ],
)
def test_schema_admits_a_right_value(path: str, value: object) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(_with(tuple(path.split(".")), value))] == []


def _keys(values: dict[str, Any], path: Path = ()) -> Iterator[Path]:
    for key, value in values.items():
        yield (*path, key)
        if isinstance(value, dict) and "properties" in _schema_at((*path, key)):
            yield from _keys(value, (*path, key))


def _schema_at(path: Path) -> dict[str, Any]:
    schema = SCHEMA
    for key in path:
        schema = _resolved(schema)["properties"][key]
    return _resolved(schema)


def test_every_key_of_the_schema_that_is_not_kubernetes_own_has_a_default() -> None:
    kubernetes = ("global", "securityContext", "spec", "Probe", "state", "workspace")
    missing = [
        ".".join((*path, key))
        for path in _ours(SCHEMA)
        if not any(word in "".join(path) for word in kubernetes)
        for key in _schema_at(path)["properties"]
        if key != "global" and (*path, key) not in set(_keys(DEFAULTS))
    ]
    assert missing == []


def test_every_value_is_in_the_readme() -> None:
    table = [line for line in (CHART / "README.md").read_text().splitlines() if line.startswith("| `")]
    cells = "\n".join(line.split("|")[1] for line in table)
    own = {path for path in _keys(DEFAULTS) if len(path) <= 2 or path[:2] == ("config", "gc")}
    groups = {path[:-1] for path in own}
    absent = [
        ".".join(path)
        for path in sorted(own - groups)
        if f"`{'.'.join(path)}`" not in cells and f"`.{path[-1]}`" not in cells
    ]
    assert absent == []
