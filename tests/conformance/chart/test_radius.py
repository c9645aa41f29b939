"""Radius' pod with another builder in it: what the post-renderer makes of rendered objects, odd ones among them."""

from __future__ import annotations

import copy
import json
import sys
import tomllib
from typing import Any

import pytest
import yaml

from clusters import process
from clusters.paths import CHECKOUT
from clusters.provider import Image, ImageRole
from conformance.chart import ADAPTERS, ChartInfo, adapter_for, load
from conformance.chart.radius.__main__ import main
from conformance.chart.radius.configuration import with_registry
from conformance.chart.radius.daemon import charts_flags
from conformance.chart.radius.orders import Orders
from conformance.chart.radius.patch import patch
from conformance.errors import UsageError
from conformance.matrix import MATRICES, load_builders
from conformance.model import Builder, Topology, VolumePreparation
from tests.conformance.records import builder

Object = dict[str, Any]

REGISTRY = "registry.test:5000"
CHARTS_TOML = "[worker.oci]\n  max-parallelism = 1\n"
SIDECARS = {
    name: each for name, each in load_builders(MATRICES / "builders").items() if each.topology is Topology.SIDECAR
}


def rendered() -> list[Object]:
    """Return the least that has the shape of Radius' objects."""
    daemon = {
        "name": "buildkitd",
        "image": "b",
        "args": [
            "--config",
            "/etc/r/buildkitd.toml",
            "--addr",
            "tcp://127.0.0.1:1234",
            "--oci-worker-no-process-sandbox",
        ],
        "securityContext": {"runAsUser": 1000, "seccompProfile": {"type": "Unconfined"}},
        "volumeMounts": [
            {"name": "toml", "mountPath": "/etc/r", "readOnly": True},
            {"name": "buildkit-state", "mountPath": "/home/user/.local/share/buildkit"},
        ],
    }
    client = {
        "name": "dynamic-rp",
        "image": "c",
        "args": ["--config-file=x"],
        "env": [{"name": "P", "valueFrom": {"secretKeyRef": {"name": "elsewhere", "key": "k"}}}],
        "securityContext": {"allowPrivilegeEscalation": False},
        "livenessProbe": {"exec": {"command": ["false"]}},
    }
    init = [
        {
            "name": "buildkit-volumes-init",
            "args": ["chmod and chown"],
            "securityContext": {"runAsUser": 0},
            "volumeMounts": [
                {"name": "buildctl-bin", "mountPath": "/tools"},
                {"name": "buildkit-state", "mountPath": "/state"},
            ],
        },
        {"name": "buildctl-init", "securityContext": {"runAsUser": 65532}},
    ]
    spec = {
        "serviceAccountName": "dynamic-rp",
        "initContainers": init,
        "containers": [client, daemon],
        "volumes": [
            {"name": "toml", "configMap": {"name": "toml"}},
            {"name": "key", "secret": {"secretName": "made-elsewhere"}},
            {"name": "buildkit-state", "emptyDir": {}},
            {"name": "buildctl-bin", "emptyDir": {}},
        ],
    }
    annotations = {"container.apparmor.security.beta.kubernetes.io/buildkitd": "unconfined", "x": "y"}
    template = {"metadata": {"labels": {"a": "b"}, "annotations": annotations}, "spec": spec}
    return [
        {"kind": "ClusterRole", "metadata": {"name": "wide"}},
        {"kind": "ConfigMap", "metadata": {"name": "toml"}, "data": {"buildkitd.toml": CHARTS_TOML}},
        {"kind": "ConfigMap", "metadata": {"name": "of-somebody-else"}, "data": {}},
        {"kind": "Deployment", "metadata": {"name": "ucp"}, "spec": {"template": {"spec": {"containers": []}}}},
        {
            "kind": "Deployment",
            "metadata": {"name": "dynamic-rp"},
            "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template},
        },
    ]


def patched(one: Builder, objects: list[Object] | None = None) -> list[Object]:
    orders = Orders(builder=one, registry=REGISTRY, release="r")
    return patch(rendered() if objects is None else objects, orders)


def template_of(objects: list[Object]) -> Object:
    found: Object = objects[-1]["spec"]["template"]
    return found


def pod_of(one: Builder, objects: list[Object] | None = None) -> Object:
    spec: Object = template_of(patched(one, objects))["spec"]
    return spec


def container(spec: Object, name: str) -> Object:
    return next(each for each in [*spec["containers"], *spec["initContainers"]] if each["name"] == name)


def toml_of(objects: list[Object]) -> Object:
    return next(tomllib.loads(each["data"]["buildkitd.toml"]) for each in objects if each["metadata"]["name"] == "toml")


def test_only_the_pod_and_what_it_names_is_installed() -> None:
    assert [(each["kind"], each["metadata"]["name"]) for each in patched(builder())] == [
        ("ConfigMap", "toml"),
        ("Deployment", "dynamic-rp"),
    ]


def test_the_objects_given_are_not_changed() -> None:
    objects = rendered()
    patched(builder(files={"/a": "b"}), objects)
    assert objects == rendered()


@pytest.mark.parametrize("name", SIDECARS)
def test_every_field_of_every_sidecar_reaches_the_pod(name: str) -> None:
    one = SIDECARS[name]
    objects = patched(one)
    spec = template_of(objects)["spec"]
    daemon = container(spec, "buildkitd")
    assert daemon.get("securityContext", {}) == one.security_context
    assert daemon["args"] == [
        *("--config", "/etc/r/buildkitd.toml", "--addr", "tcp://127.0.0.1:1234"),
        *("--root", one.state_directory, *one.args),
    ]
    assert spec.get("hostUsers") is one.host_users
    group = {"fsGroup": 1000} if one.volume_preparation is VolumePreparation.FS_GROUP else {}
    assert spec.get("securityContext", {}) == group | one.pod_security_context
    assert {each["name"]: each["value"] for each in daemon.get("env", ())} == one.environment
    (state,) = (each for each in daemon["volumeMounts"] if each["name"] == "buildkit-state")
    assert state["mountPath"] == one.state_directory
    assert toml_of(objects) == {
        "worker": {"oci": {"max-parallelism": 1}},
        "registry": {REGISTRY: {"http": True}},
    }
    files = {path: f"{one.subordinate_ids}\n" for path in ("/etc/subuid", "/etc/subgid") if one.subordinate_ids}
    assert mounted_files(objects) == {**one.files, **files}


def mounted_files(objects: list[Object]) -> dict[str, str]:
    data: dict[str, str] = {}
    for each in objects:
        data |= each["data"] if each["metadata"]["name"] == "conformance-files" else {}
    daemon = container(template_of(objects)["spec"], "buildkitd")
    return {each["mountPath"]: data[each["subPath"]] for each in daemon["volumeMounts"] if "subPath" in each}


def test_files_environment_and_limit_of_a_builder_reach_the_pod() -> None:
    one = builder(files={"/a/b": "text"}, environment={"A": "1"}, state_limit="1Gi", subordinate_ids="user:1001:9")
    objects = patched(one)
    assert mounted_files(objects) == {"/a/b": "text", "/etc/subuid": "user:1001:9\n", "/etc/subgid": "user:1001:9\n"}
    spec = template_of(objects)["spec"]
    assert {"name": "A", "value": "1"} in container(spec, "buildkitd")["env"]
    assert {"name": "buildkit-state", "emptyDir": {"sizeLimit": "1Gi"}} in spec["volumes"]
    assert {"name": "conformance-files", "configMap": {"name": "conformance-files"}} in spec["volumes"]


def test_what_only_the_chart_says_of_the_daemon_is_gone() -> None:
    objects = rendered()
    objects[-1]["spec"]["template"]["spec"] |= {"hostUsers": False, "securityContext": {"runAsUser": 5}}
    spec = pod_of(builder(), objects)
    assert "securityContext" not in container(spec, "buildkitd")
    assert "hostUsers" not in spec
    assert spec["securityContext"] == {"fsGroup": 1000}


def test_an_apparmor_annotation_does_not_stand_beside_the_builders_field() -> None:
    metadata = template_of(patched(builder()))["metadata"]
    assert metadata["annotations"] == {"x": "y"}


def test_the_pod_is_found_by_its_release_and_still_selected() -> None:
    workload = patched(builder())[-1]
    labels = workload["spec"]["template"]["metadata"]["labels"]
    assert labels == {"a": "b", "app.kubernetes.io/instance": "r"}
    assert workload["spec"]["selector"] == {"matchLabels": {"a": "b"}}


def test_the_client_idles_under_the_charts_own_security_context() -> None:
    client = container(pod_of(builder()), "dynamic-rp")
    assert client["command"][0] == "/bin/sh"
    assert client["securityContext"] == {"allowPrivilegeEscalation": False}
    assert not {"args", "livenessProbe"} & set(client)


def test_what_radius_makes_elsewhere_does_not_hold_the_pod_up() -> None:
    spec = pod_of(builder())
    volumes = {each["name"]: each for each in spec["volumes"]}
    assert volumes["key"]["secret"]["optional"] is True
    assert "optional" not in volumes["toml"]["configMap"]
    assert container(spec, "dynamic-rp")["env"][0]["valueFrom"]["secretKeyRef"]["optional"] is True
    assert "serviceAccountName" not in spec
    assert spec["automountServiceAccountToken"] is False


def steps(one: Builder) -> list[str]:
    init = container(pod_of(one), "buildkit-volumes-init")
    assert "args" not in init
    assert init["securityContext"] == {"runAsUser": 0}
    lines: list[str] = init["command"][-1].splitlines()
    return lines


def test_the_init_container_prepares_the_volumes_in_the_order_that_the_builder_says() -> None:
    mode, own = ["chmod 0755 /tools", "chmod 0700 /state"], ["chown 65532:65532 /tools", "chown 1000:1000 /state"]
    assert steps(builder(volume_preparation="init-container")) == ["set -eu", *mode, *own]
    assert steps(builder(volume_preparation="init-container-chown-first")) == ["set -eu", *own, *mode]


def test_the_init_container_gives_the_state_to_the_builders_user() -> None:
    rootful = builder(
        image=ImageRole.BUILDKIT_ROOTFUL_V0_14, volume_preparation="init-container", security_context={"runAsUser": 0}
    )
    assert "chown 0:0 /state" in steps(rootful)


def test_a_group_makes_the_init_container_of_root_needless() -> None:
    spec = pod_of(builder(pod_security_context={"fsGroup": 7}))
    assert [each["name"] for each in spec["initContainers"]] == ["buildctl-init"]
    assert spec["securityContext"] == {"fsGroup": 7}


def test_a_chart_without_a_configuration_gets_one() -> None:
    objects = rendered()
    container(objects[-1]["spec"]["template"]["spec"], "buildkitd")["args"] = ["--addr=tcp://127.0.0.1:1234"]
    made = patched(builder(), objects)
    args = container(template_of(made)["spec"], "buildkitd")["args"]
    (text,) = mounted_files(made).values()
    assert args[-2:] == ["--config", *mounted_files(made)]
    assert tomllib.loads(text) == {"registry": {REGISTRY: {"http": True}}}


@pytest.mark.parametrize(
    ("args", "kept"),
    [
        ([], []),
        (["--addr", "a", "--config", "c"], ["--addr", "a", "--config", "c"]),
        (["--addr=a", "--debug", "--config=c"], ["--addr=a", "--config=c"]),
        (["--oci-worker-snapshotter", "native", "--addr", "a"], ["--addr", "a"]),
        (["--addr"], ["--addr", ""]),
    ],
)
def test_the_chart_keeps_its_address_and_configuration_however_they_are_written(
    args: list[str], kept: list[str]
) -> None:
    assert charts_flags(args) == kept


def test_a_registry_that_the_chart_knows_already_is_not_said_twice() -> None:
    toml = f'[registry."{REGISTRY}"]\nhttp = true\n'
    assert with_registry(toml, REGISTRY) == toml


@pytest.mark.parametrize("toml", ["registry = {}\n", "[worker", f'[registry."{REGISTRY}"]\nhttp = false\n'])
def test_a_configuration_that_cannot_be_told_of_the_registry_is_refused(toml: str) -> None:
    with pytest.raises(UsageError, match=r"registry registry\.test:5000"):
        with_registry(toml, REGISTRY)


def _without(objects: list[Object], path: str) -> list[Object]:
    spec = objects[-1]["spec"]["template"]["spec"]
    match path:
        case "sidecar":
            spec["containers"] = spec["containers"][:1]
        case "twice":
            objects.insert(0, copy.deepcopy(objects[-1]))
        case "state":
            container(spec, "buildkitd")["volumeMounts"] = None
        case "toml":
            objects[1]["data"] = None
        case _:
            spec["initContainers"] = None
    return objects


@pytest.mark.parametrize(
    ("absent", "message"),
    [
        ("sidecar", "found 0 among: Deployment/dynamic-rp: dynamic-rp"),
        ("twice", "found 2"),
        ("state", "mounts no volume named 'buildkit-state'"),
        ("toml", "no rendered ConfigMap"),
        ("init", "no init container named 'buildkit-volumes-init'"),
    ],
)
def test_a_chart_of_another_shape_is_refused_by_a_sentence(absent: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        patched(builder(volume_preparation="init-container"), _without(rendered(), absent))


@pytest.mark.parametrize(
    "odd",
    [
        "just text",
        ["a", "list"],
        {"kind": "Deployment"},
        {"kind": "Deployment", "metadata": None, "spec": None},
        {"kind": "Deployment", "spec": {"template": "text"}},
        {"kind": "Deployment", "spec": {"template": {"spec": {"containers": None}}}},
        {"kind": "Deployment", "spec": {"template": {"spec": {"containers": ["text", {"image": "nameless"}]}}}},
        {"kind": "ConfigMap", "metadata": {}},
        {"kind": "Service", "spec": ["a"]},
    ],
)
def test_odd_objects_beside_the_pod_are_left_out(odd: object) -> None:
    assert patch([odd, *rendered()], Orders(builder=builder(), registry=REGISTRY, release="r")) == patched(builder())


def test_the_program_changes_what_it_reads_and_keeps_strings_strings() -> None:
    objects = rendered()
    objects[1]["data"] |= {"a": "yes", "b": "0400", "c": "1e3", "d": "2026-11-21", "e": "- x: 'y'\n# z\n", "f": "~"}
    words = ADAPTERS["radius"].post_renderer(builder(), registry=REGISTRY, release="r")
    assert words[0] == sys.executable
    said = f"---\n# a comment\n---\n{yaml.safe_dump_all(objects)}"
    done = process.run(words, stdin=said.encode(), cwd=CHECKOUT)
    assert list(yaml.safe_load_all(done.stdout)) == patched(builder(), objects)


def test_the_program_is_told_everything_of_a_builder() -> None:
    for one in SIDECARS.values():
        (*_, said) = ADAPTERS["radius"].post_renderer(one, registry=REGISTRY, release="r")
        assert Orders.model_validate_json(said) == Orders(builder=one, registry=REGISTRY, release="r")


@pytest.mark.parametrize(
    ("arguments", "text", "message"),
    [
        ([], "", "one argument"),
        (["{}", "{}"], "", "one argument"),
        (["no json"], "", "Invalid JSON"),
        ([json.dumps({"registry": "r", "release": "r"})], "", "builder"),
        ([""], "a: [", "Invalid JSON"),
    ],
)
def test_orders_that_are_none_are_refused(arguments: list[str], text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        main(arguments, text)


@pytest.mark.parametrize("text", ["a: [", "a: =", "", "--- \n"])
def test_what_is_no_yaml_or_no_chart_ends_the_program_with_a_sentence(text: str) -> None:
    words = ADAPTERS["radius"].post_renderer(builder(), registry=REGISTRY, release="r")
    with pytest.raises(UsageError, match=r"no YAML|no workload at all"):
        main([words[-1]], text)


def test_the_program_says_why_and_ends_with_3() -> None:
    words = ADAPTERS["radius"].post_renderer(builder(), registry=REGISTRY, release="r")
    done = process.run(words, stdin=b"", cwd=CHECKOUT, check=False)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("conformance.chart.radius: exactly one rendered workload")


@pytest.mark.parametrize(
    "reference",
    [
        "localhost/app:1",
        "r.test:5000/a/b:v1",
        "r.test/a@sha256:0a",
        "r.test:5000/a:v1@sha256:0a",
        "r.test:5000/untagged",
    ],
)
def test_the_chart_joins_the_clients_image_as_it_was(reference: str) -> None:
    images = {
        role: Image(role=role, reference=reference if role is ImageRole.APP else "b", digest="", origin="")
        for role in ImageRole
    }
    values = ADAPTERS["radius"].values(builder(), images, REGISTRY)
    assert f"{values['dynamicrp']['image']}:{values['dynamicrp']['tag']}" == reference
    assert values["dynamicrp"]["buildkit"] == {"enabled": True, "image": "b"}
    assert values["global"] == {"terraform": {"enabled": False}}


def test_the_imitation_is_tested_by_the_named_adapter_and_radius_by_its_own() -> None:
    imitation = load(str(CHECKOUT / "tests" / "data" / "charts" / "radius-like"))
    assert adapter_for(imitation, "radius") is ADAPTERS["radius"]
    with pytest.raises(UsageError, match="radius"):
        adapter_for(imitation)
    real = ChartInfo(name="radius", version="", app_version="", path=imitation.path, digest="", source="")
    assert adapter_for(real) is ADAPTERS["radius"]
