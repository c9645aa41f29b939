from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from pydantic import ValidationError

from clusters.paths import CHECKOUT
from clusters.provider import Image, ImageRole
from conformance.chart import ADAPTERS, ChartInfo, adapter_for, load
from conformance.errors import UsageError
from conformance.model import Builder, Transport, VolumePreparation

IMAGES = {role: Image(role=role, reference=f"localhost/{role}:1", digest="", origin="") for role in ImageRole}
SCHEMA: dict[str, Any] = json.loads((CHECKOUT / "charts" / "build-sidecar" / "values.schema.json").read_text())


def _builder(**fields: object) -> Builder:
    base = {"name": "b", "summary": "s", "origin": "o", "image": ImageRole.BUILDKIT_ROOTLESS}
    return Builder.model_validate({**base, **fields})


def _info(name: str) -> ChartInfo:
    return ChartInfo(name=name, version="1", app_version="", path=Path("/c"), digest="", source="/c")


def test_chart_of_this_project_has_its_adapter() -> None:
    assert adapter_for(load(str(CHECKOUT / "charts" / "build-sidecar"))) is ADAPTERS["build-sidecar"]


def test_chart_with_other_name_is_tested_by_a_named_adapter() -> None:
    assert adapter_for(_info("fork"), "build-sidecar") is ADAPTERS["build-sidecar"]


@pytest.mark.parametrize("name", [None, "nope"])
def test_unknown_chart_or_adapter_is_refused_with_the_choices(name: str | None) -> None:
    with pytest.raises(UsageError, match="build-sidecar"):
        adapter_for(_info("fork"), name)


@pytest.mark.parametrize("transport", Transport)
@pytest.mark.parametrize("preparation", VolumePreparation)
@pytest.mark.parametrize("asked", [{}, {"hostUsers": False}])
@pytest.mark.parametrize("ids", ["", "user:1001:64535"])
def test_values_satisfy_the_charts_schema(
    transport: Transport, preparation: VolumePreparation, asked: dict[str, bool], ids: str
) -> None:
    builder = _builder(
        subordinate_ids=ids,
        transport=transport,
        volume_preparation=preparation,
        host_users=asked.get("hostUsers"),
        security_context={"runAsUser": 0},
        pod_security_context={"fsGroup": 5},
    )
    values = ADAPTERS["build-sidecar"].values(builder, IMAGES, "10.0.0.9:5000")
    assert [error.message for error in Draft7Validator(SCHEMA).iter_errors(values)] == []
    assert values["config"]["registries"] == {"10.0.0.9:5000": {"http": True}}
    assert values["pod"]["spec"] == {"securityContext": {"fsGroup": 5}, **asked}


def test_missing_image_is_a_sentence() -> None:
    with pytest.raises(UsageError, match="buildkit-rootless"):
        ADAPTERS["build-sidecar"].values(_builder(), {ImageRole.APP: IMAGES[ImageRole.APP]}, "r:1")


@pytest.mark.parametrize(
    ("fields", "owner"),
    [
        ({}, "1000:1000"),
        ({"image": ImageRole.BUILDKIT_ROOTFUL}, "0:0"),
        ({"security_context": {"runAsUser": 7, "runAsGroup": 8}, "pod_security_context": {"runAsUser": 9}}, "7:8"),
        ({"pod_security_context": {"runAsUser": 9}}, "9:9"),
    ],
)
def test_init_container_gives_the_volumes_to_the_builders_user(fields: dict[str, object], owner: str) -> None:
    builder = _builder(volume_preparation=VolumePreparation.INIT_CONTAINER, **fields)
    values = ADAPTERS["build-sidecar"].values(builder, IMAGES, "r:1")
    assert values["volumePreparation"] == {"method": "initContainer", "owner": owner, "order": "chmodFirst"}
    assert values["buildctlInit"] == {"enabled": True}


@pytest.mark.parametrize(("image", "group"), [(ImageRole.BUILDKIT_ROOTFUL, 1000), (ImageRole.BUILDKIT_ROOTLESS, None)])
def test_a_daemon_that_runs_as_root_shares_its_socket_with_the_clients_group(
    image: ImageRole, group: int | None
) -> None:
    values = ADAPTERS["build-sidecar"].values(_builder(image=image), IMAGES, "r:1")
    assert values["builder"]["socketGroup"] == group


def test_subordinate_ids_take_the_place_of_both_files_of_the_image() -> None:
    values = ADAPTERS["build-sidecar"].values(_builder(subordinate_ids="user:1001:64535"), IMAGES, "r:1")
    mounts = values["builder"]["volumeMounts"]
    assert [mount["mountPath"] for mount in mounts] == ["/etc/subuid", "/etc/subgid"]
    assert {mount["name"] for mount in mounts} == {"config"}
    assert [values["config"]["files"][mount["subPath"]] for mount in mounts] == ["user:1001:64535\n"] * 2


def test_a_builder_without_subordinate_ids_keeps_the_images_files() -> None:
    values = ADAPTERS["build-sidecar"].values(_builder(), IMAGES, "r:1")
    assert values["builder"]["volumeMounts"] == []
    assert values["config"]["files"] == {}


@pytest.mark.parametrize("line", ["user", "user:1001", "user:1001:64535:", "user:a:1", "user:1:1\nother:1:1"])
def test_subordinate_ids_that_are_no_line_of_subuid_are_refused(line: str) -> None:
    with pytest.raises(ValidationError, match="subordinate_ids"):
        _builder(subordinate_ids=line)
