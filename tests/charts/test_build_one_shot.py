"""charts/build-one-shot: its schema, and the pod it renders for each builder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from clusters.paths import CHECKOUT
from clusters.provider import Image, ImageRole
from conformance import chart
from conformance.chart.build_one_shot import BuildOneShot
from conformance.matrix import MATRICES, load_builders
from conformance.model import Builder, Tool, Topology

CHART = CHECKOUT / "charts" / "build-one-shot"
VALIDATOR = Draft7Validator(json.loads((CHART / "values.schema.json").read_text()))
DEFAULTS: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
REGISTRY = "registry.test:5000"
IMAGES = {role: Image(role=role, reference=f"localhost/{role}:1", digest="d", origin="o") for role in ImageRole}
BUILDERS = {
    name: builder
    for name, builder in load_builders(MATRICES / "builders").items()
    if builder.topology is Topology.ONE_SHOT
}


def values(builder: Builder) -> dict[str, Any]:
    return BuildOneShot().values(builder, IMAGES, REGISTRY)


def rendered(builder: Builder) -> tuple[Mapping[str, Any], Mapping[str, Any], Mapping[str, str]]:
    """Return the pod's spec, its container, and the files that are mounted into it."""
    objects = chart.render(chart.load(str(CHART)), values(builder), release="r", namespace="n")
    spec = chart.pod_template(objects, container="builder")["spec"]
    (container,) = spec["containers"]
    maps = [each["data"] for each in objects if each["kind"] == "ConfigMap"]
    data = maps[0] if maps else {}
    mounts = {mount["mountPath"]: data[mount["subPath"]] for mount in container["volumeMounts"] if "subPath" in mount}
    return spec, container, mounts


def test_the_defaults_satisfy_the_schema() -> None:
    assert [error.message for error in VALIDATOR.iter_errors(DEFAULTS)] == []


@pytest.mark.parametrize("builder", BUILDERS.values(), ids=BUILDERS)
def test_every_builders_values_satisfy_the_schema(builder: Builder) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(values(builder))] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"bilder": {}},
        {"builder": {"imag": "x"}},
        {"builder": {"securityContext": {"runAsUsr": 1}}},
        {"files": {"relative": "x"}},
        {"files": {"/a/": "x"}},
        {"state": {"sizelimit": "1Gi"}},
        {"pod": {"spec": {"hostUsers": "false"}}},
    ],
)
def test_the_schema_refuses_a_typo(wrong: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(wrong)


@pytest.mark.cluster
@pytest.mark.parametrize("builder", BUILDERS.values(), ids=BUILDERS)
def test_all_that_a_builder_says_is_in_its_pod(builder: Builder) -> None:
    spec, container, files = rendered(builder)
    assert container.get("securityContext", {}) == builder.security_context
    assert spec.get("securityContext", {}) == builder.pod_security_context
    assert spec.get("hostUsers") == builder.host_users
    assert spec["automountServiceAccountToken"] is False
    assert builder.environment.items() <= {each["name"]: each["value"] for each in container.get("env", [])}.items()
    assert builder.files.items() <= files.items()
    assert {"name": "state", "mountPath": builder.state_directory} in container["volumeMounts"]
    (state,) = (volume for volume in spec["volumes"] if volume["name"] == "state")
    assert state["emptyDir"] == ({"sizeLimit": builder.state_limit} if builder.state_limit else {})
    if builder.subordinate_ids:
        assert {files["/etc/subuid"], files["/etc/subgid"]} == {f"{builder.subordinate_ids}\n"}


@pytest.mark.cluster
def test_a_daemon_that_lives_as_long_as_a_build_is_told_its_flags_by_a_variable() -> None:
    builder = BUILDERS["daemonless-rootless"]
    assert builder.tool is Tool.BUILDKIT
    _, container, files = rendered(builder)
    (flags,) = (each["value"] for each in container["env"] if each["name"] == "BUILDKITD_FLAGS")
    assert flags.split() == [
        "--config=/etc/buildkit/buildkitd.toml",
        f"--root={builder.state_directory}",
        *builder.args,
    ]
    assert files["/etc/buildkit/buildkitd.toml"] == f'[registry."{REGISTRY}"]\nhttp = true\n'
