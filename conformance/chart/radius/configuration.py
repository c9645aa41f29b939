"""Files of the daemon: buildkitd.toml with the registry in it, subordinate ids, and whatever else a builder names."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any, Final

from conformance.chart.radius.orders import Orders
from conformance.errors import UsageError

Object = dict[str, Any]

#: The ConfigMap and volume of files that the chart has no place for.
_OWN: Final = "conformance-files"
#: Where a chart that says no `--config` gets one.
_CONFIG: Final = "/etc/conformance/buildkitd.toml"
_SUBORDINATE_IDS: Final = ("/etc/subuid", "/etc/subgid")


def configure(spec: Object, daemon: Object, objects: Sequence[Object], orders: Orders) -> list[Object]:
    """Say the files in the chart's ConfigMap and in one of our own; return what is new. Raises UsageError."""
    files = dict(orders.builder.files)
    if ids := orders.builder.subordinate_ids:
        files |= dict.fromkeys(_SUBORDINATE_IDS, f"{ids}\n")
    path = _config_path(daemon["args"])
    if path:
        data, key = _find(spec, daemon, objects, path)
        data[key] = with_registry(str(data[key] or ""), orders.registry)
    else:
        daemon["args"] += ["--config", _CONFIG]
        files[_CONFIG] = with_registry("", orders.registry)
    return _add(spec, daemon, files)


def with_registry(toml: str, registry: str) -> str:
    """Return a buildkitd.toml that speaks plain http to a registry (docs: buildkitd.toml.md). Raises UsageError."""
    try:
        said = tomllib.loads(toml).get("registry", {})
        if registry not in said:
            toml = f"{toml.rstrip()}\n[registry.{json.dumps(registry)}]\n  http = true\n".lstrip()
            said = tomllib.loads(toml)["registry"]
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"the chart's buildkitd.toml cannot be told of the registry {registry}: {error}") from error
    if said[registry].get("http") is not True:
        raise UsageError(f"the chart's buildkitd.toml says of the registry {registry} that it is no plain http")
    return toml


def _config_path(args: Sequence[str]) -> str:
    for number, word in enumerate(args):
        if word == "--config":
            return args[number + 1]
        if word.startswith("--config="):
            return word.removeprefix("--config=")
    return ""


def _find(spec: Object, daemon: Object, objects: Sequence[Object], path: str) -> tuple[dict[str, Any], str]:
    """Return the data of the ConfigMap that a file of the container comes from, and its key."""
    for mount in daemon.get("volumeMounts") or ():
        place = PurePosixPath(str(mount.get("mountPath")))
        if PurePosixPath(path).is_relative_to(place):
            key = mount.get("subPath") or str(PurePosixPath(path).relative_to(place))
            source = next((each.get("configMap") for each in spec["volumes"] if each["name"] == mount["name"]), None)
            name = (source or {}).get("name")
            for each in objects:
                data: dict[str, Any] = each.get("data") or {}
                if each.get("kind") == "ConfigMap" and each["metadata"]["name"] == name and key in data:
                    return data, key
    raise UsageError(
        f"the daemon is told --config {path}, but no rendered ConfigMap is mounted there that has it: the registry of"
        f" the fixtures cannot be said to it"
    )


def _add(spec: Object, daemon: Object, files: dict[str, str]) -> list[Object]:
    if not files:
        return []
    keys = {path: f"file-{number}" for number, path in enumerate(sorted(files))}
    spec["volumes"] = [*(spec.get("volumes") or ()), {"name": _OWN, "configMap": {"name": _OWN}}]
    mounts = [{"name": _OWN, "mountPath": path, "subPath": key, "readOnly": True} for path, key in keys.items()]
    daemon["volumeMounts"] = [*(daemon.get("volumeMounts") or ()), *mounts]
    data = {key: files[path] for path, key in keys.items()}
    return [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": _OWN}, "data": data}]
