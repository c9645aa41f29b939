"""The values of charts/build-standalone, judged by its schema alone: no helm needed."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from clusters.paths import CHECKOUT

CHART = CHECKOUT / "charts" / "build-standalone"
SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())
DEFAULTS: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
VALIDATOR = Draft7Validator(SCHEMA)

Path = tuple[str, ...]


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    definitions: dict[str, dict[str, Any]] = SCHEMA["definitions"]
    return definitions[schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema


def _ours(schema: dict[str, Any], path: Path = ()) -> Iterator[Path]:
    """Yield the path of every object whose keys the chart defines."""
    schema = _resolved(schema)
    if "properties" in schema:
        yield path
        for key, inner in schema["properties"].items():
            yield from _ours(inner, (*path, key))


def _with(path: Path, value: object) -> dict[str, Any]:
    values = copy.deepcopy(DEFAULTS)
    place = values
    for key in path[:-1]:
        place = place.setdefault(key, {})
    place[path[-1]] = value
    return values


def test_the_schema_is_valid_and_the_defaults_satisfy_it() -> None:
    Draft7Validator.check_schema(SCHEMA)
    assert [error.message for error in VALIDATOR.iter_errors(DEFAULTS)] == []


@pytest.mark.parametrize("path", sorted(_ours(SCHEMA)), ids=lambda path: ".".join(path) or "top")
def test_the_schema_refuses_an_unknown_key_at_every_level(path: Path) -> None:
    errors = [error.message for error in VALIDATOR.iter_errors(_with((*path, "typo"), "x"))]
    assert any("'typo' was unexpected" in message for message in errors)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("kind", "DaemonSet"),
        ("replicas", "2"),
        ("service.port", 0),
        ("tls.enabled", "true"),
        ("tls.secretName", "Not A Name"),
        ("certManager.issuerRef.kind", "Vault"),
        ("certManager.duration", "90 days"),
        ("storage.size", "much"),
        ("storage.emptyDir.sizelimit", "1Gi"),
        ("podDisruptionBudget.minAvailable", -1),
        ("networkPolicy.allowedNamespaces", [{}]),
        ("networkPolicy.allowedNamespaces", ["runners"]),
        ("builder.files", {"relative": "x"}),
        ("builder.securityContext.seccompProfile.type", "Default"),
        ("pod.spec.hostUsers", "false"),
        ("pod.spec.containers", []),
    ],
)
def test_the_schema_refuses_a_wrong_value(path: str, value: object) -> None:
    assert not VALIDATOR.is_valid(_with(tuple(path.split(".")), value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("kind", "Deployment"),
        ("networkPolicy.allowedNamespaces", [{"kubernetes.io/metadata.name": "arc-runners"}]),
        ("certManager.issuerRef", {"name": "ca", "kind": "ClusterIssuer", "group": "cert-manager.io"}),
        ("storage.emptyDir", {"sizeLimit": "10Gi"}),
        ("builder.files", {"/etc/subuid": "user:1001:64535\n"}),
        ("pod.spec.hostUsers", False),
        ("global", {"parent": 1}),
    ],
)
def test_the_schema_admits_a_right_value(path: str, value: object) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(_with(tuple(path.split(".")), value))] == []


def test_every_value_of_the_first_two_levels_is_in_the_readme() -> None:
    readme = (CHART / "README.md").read_text()
    cells = "\n".join(line.split("|")[1] for line in readme.splitlines() if line.startswith("| `"))
    for key, value in DEFAULTS.items():
        assert f"`{key}" in cells, key
        for inner in value if isinstance(value, dict) else ():
            assert f"`{key}.{inner}`" in cells or f"`.{inner}`" in cells, f"{key}.{inner}"
