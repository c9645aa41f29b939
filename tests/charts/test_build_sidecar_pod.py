"""The pod that charts/build-sidecar renders. Needs helm, which the toolchain builds: marker `cluster`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from clusters import process
from clusters.paths import CHECKOUT
from clusters.provider import Image, ImageRole
from conformance import chart
from conformance.errors import HelmError
from conformance.matrix import MATRICES, load_builders
from conformance.model import Builder, Topology, Transport, VolumePreparation

pytestmark = pytest.mark.cluster

SOURCE = CHECKOUT / "charts" / "build-sidecar"
IMAGES = {role: Image(role=role, reference=f"localhost/{role}:1", digest="", origin="") for role in ImageRole}
REGISTRY = "registry.fixtures.svc:5000"


def _builders() -> dict[str, Builder]:
    every = load_builders(MATRICES / "builders")
    return {name: builder for name, builder in every.items() if builder.topology is Topology.SIDECAR}


BUILDERS = _builders()
#: A builder whose volumes an init container prepares has one that runs as root.
BY_GROUP = {name: each for name, each in BUILDERS.items() if each.volume_preparation is VolumePreparation.FS_GROUP}
EACH_BUILDER = pytest.mark.parametrize("builder", BUILDERS.values(), ids=BUILDERS)


def _render(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return chart.render(chart.load(str(SOURCE)), values, release="r", namespace="n")


def _pod(values: Mapping[str, Any]) -> dict[str, Any]:
    return chart.pod_template(_render(values), container="buildkitd")


def _values(builder: Builder) -> dict[str, Any]:
    return chart.ADAPTERS["build-sidecar"].values(builder, IMAGES, REGISTRY)


def _container(pod: Mapping[str, Any], name: str) -> dict[str, Any]:
    spec = pod["spec"]
    (found,) = (entry for entry in [*spec["containers"], *spec.get("initContainers", [])] if entry["name"] == name)
    return dict(found)


def _restricted_faults(pod: Mapping[str, Any]) -> list[str]:
    """Apply the restricted level's checks to the fields this chart uses (policy v1.34: no user namespace's relief)."""
    spec, faults = pod["spec"], []
    faults += [f"host {key}" for key in ("hostNetwork", "hostPID", "hostIPC") if spec.get(key)]
    faults += [
        f"volume {volume['name']}"
        for volume in spec["volumes"]
        if not {"configMap", "emptyDir", "secret", "projected", "downwardAPI", "csi", "ephemeral"} & set(volume)
    ]
    shared = spec.get("securityContext", {})
    for entry in [*spec["containers"], *spec.get("initContainers", [])]:
        context = {**shared, **entry.get("securityContext", {})}
        capabilities = context.get("capabilities", {})
        wanted = {
            "privileged": not context.get("privileged"),
            "allowPrivilegeEscalation": context.get("allowPrivilegeEscalation") is False,
            "drop ALL": "ALL" in capabilities.get("drop", []),
            "add": set(capabilities.get("add", [])) <= {"NET_BIND_SERVICE"},
            "runAsNonRoot": context.get("runAsNonRoot") is True,
            "runAsUser": context.get("runAsUser") != 0,
            "seccomp": context.get("seccompProfile", {}).get("type") in {"RuntimeDefault", "Localhost"},
            "apparmor": context.get("appArmorProfile", {}).get("type") != "Unconfined",
            "procMount": context.get("procMount", "Default") == "Default",
        }
        faults += [f"{entry['name']}: {what}" for what, holds in wanted.items() if not holds]
    return faults


def test_chart_passes_helm_lint(tmp_path: Path) -> None:
    done = process.run([chart.find_helm(), "lint", "--strict", SOURCE], cwd=tmp_path)
    assert "0 chart(s) failed" in done.stdout


def test_helm_refuses_a_misspelt_value() -> None:
    with pytest.raises(HelmError, match="bilder"):
        _render({"bilder": {}})


@EACH_BUILDER
def test_builder_gets_every_field_its_record_has(builder: Builder) -> None:
    pod = _pod(_values(builder))
    daemon = _container(pod, "buildkitd")
    assert daemon.get("securityContext", {}) == builder.security_context
    assert tuple(daemon["args"][len(daemon["args"]) - len(builder.args) :]) == builder.args
    assert daemon["image"] == f"localhost/{builder.image}:1"
    assert {"name": "state", "mountPath": builder.state_directory} in daemon["volumeMounts"]
    assert daemon["args"][daemon["args"].index("--root") + 1] == builder.state_directory
    assert pod["spec"].get("hostUsers") == builder.host_users
    assert ("hostUsers" in pod["spec"]) is (builder.host_users is not None)
    group = {"fsGroup": 1000} if builder.name in BY_GROUP else {}
    assert pod["spec"].get("securityContext", {}) == {**group, **builder.pod_security_context}


def test_builder_with_subordinate_ids_gets_them_as_both_of_the_images_files() -> None:
    objects = _render(_values(BUILDERS["rootless-userns-unmasked"]))
    daemon = _container(chart.pod_template(objects, container="buildkitd"), "buildkitd")
    (data,) = (each["data"] for each in objects if each["kind"] == "ConfigMap")
    files = {mount["mountPath"]: data[mount["subPath"]] for mount in daemon["volumeMounts"] if "subPath" in mount}
    assert files == {"/etc/subuid": "user:1001:64535\n", "/etc/subgid": "user:1001:64535\n"}


@pytest.mark.parametrize("builder", BY_GROUP.values(), ids=BY_GROUP)
def test_nothing_but_the_builder_can_offend_the_restricted_level(builder: Builder) -> None:
    assert [fault for fault in _restricted_faults(_pod(_values(builder))) if not fault.startswith("buildkitd:")] == []


def test_whole_pod_of_the_restricted_builder_is_admissible_at_restricted() -> None:
    assert _restricted_faults(_pod(_values(BUILDERS["rootless-restricted"]))) == []


def test_init_containers_come_in_order_and_hold_only_what_they_need() -> None:
    builder = BUILDERS["rootless-unset"].model_copy(update={"volume_preparation": VolumePreparation.INIT_CONTAINER})
    pod = _pod(_values(builder))
    assert [entry["name"] for entry in pod["spec"]["initContainers"]] == ["volumes-init", "buildctl-init"]
    assert "securityContext" not in pod["spec"]
    root = _container(pod, "volumes-init")
    assert root["securityContext"]["capabilities"] == {"drop": ["ALL"], "add": ["CHOWN"]}
    assert root["securityContext"]["runAsUser"] == 0
    script = root["command"][-1]
    assert 0 < script.index("chmod") < script.index("chown")
    assert {mount["name"] for mount in root["volumeMounts"]} == {"state", "socket", "tools"}
    assert [fault for fault in _restricted_faults(pod) if fault.startswith("buildctl-init")] == []
    handed = {"name": "tools", "mountPath": "/usr/local/bin/buildctl", "subPath": "buildctl", "readOnly": True}
    assert handed in _container(pod, "app")["volumeMounts"]


def test_init_container_changes_owners_first_where_that_is_asked_for_and_does_so_again() -> None:
    first = VolumePreparation.INIT_CONTAINER_CHOWN_FIRST
    builder = BUILDERS["rootless-unset"].model_copy(update={"volume_preparation": first})
    script = _container(_pod(_values(builder)), "volumes-init")["command"][-1]
    assert 0 < script.index("chown") < script.index("chmod")
    assert "stat -c" not in script


@pytest.mark.parametrize(
    ("transport", "address"),
    [(Transport.UNIX, "unix:///run/buildkit/buildkitd.sock"), (Transport.LOOPBACK_TCP, "tcp://127.0.0.1:1234")],
)
def test_both_sides_use_the_same_address(transport: Transport, address: str) -> None:
    builder = BUILDERS["rootless-unset"].model_copy(update={"transport": transport})
    pod = _pod(_values(builder))
    app, daemon = _container(pod, "app"), _container(pod, "buildkitd")
    assert {"name": "BUILDKIT_HOST", "value": address} in app["env"]
    assert daemon["args"][:2] == ["--addr", address]
    assert daemon["readinessProbe"]["exec"]["command"] == ["buildctl", "--addr", address, "debug", "workers"]
    sockets = [entry for entry in (app, daemon) if any(mount["name"] == "socket" for mount in entry["volumeMounts"])]
    assert len(sockets) == (2 if transport is Transport.UNIX else 0)
    assert ("socket" in {volume["name"] for volume in pod["spec"]["volumes"]}) is (transport is Transport.UNIX)


def test_every_mount_has_its_volume() -> None:
    values = {
        "volumePreparation": {"method": "initContainer"},
        "buildctlInit": {"enabled": True},
        "builder": {"scratchDirectories": ["/tmp", "/run/user/1000"]},  # noqa: S108 - a path in a pod
    }
    spec = _pod(values)["spec"]
    mounted = {
        mount["name"] for entry in [*spec["containers"], *spec["initContainers"]] for mount in entry["volumeMounts"]
    }
    assert mounted == {volume["name"] for volume in spec["volumes"]}
    assert {"scratch-0", "scratch-1"} <= mounted


def test_probes_can_be_switched_off_and_on() -> None:
    probes = {"readinessProbe": {"enabled": False}, "livenessProbe": {"enabled": False}}
    daemon = _container(_pod({"builder": {**probes, "startupProbe": {"enabled": True}}}), "buildkitd")
    assert {key for key in daemon if key.endswith("Probe")} == {"startupProbe"}
    assert "enabled" not in daemon["startupProbe"]


def test_liveness_probe_gives_a_slow_daemon_minutes() -> None:
    probe = _container(_pod({}), "buildkitd")["livenessProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] >= 300


def test_socket_group_is_given_for_a_socket_alone() -> None:
    args = _container(_pod({"builder": {"socketGroup": 0}}), "buildkitd")["args"]
    assert args[args.index("--group") + 1] == "0"
    assert "--group" not in _container(_pod({}), "buildkitd")["args"]
    over_tcp = {"builder": {"socketGroup": 1000}, "transport": {"type": "tcp"}}
    assert "--group" not in _container(_pod(over_tcp), "buildkitd")["args"]


def test_configuration_is_toml_and_its_change_restarts_the_pod() -> None:
    config = {
        "registries": {"a.example:5000": {"http": True, "mirrors": ["b"]}, "c": {"insecure": True}},
        "maxParallelism": 3,
        "gc": {"reservedSpace": "2GB"},
        "extra": "debug = true\n[grpc]\nuid = 1",
        "files": {"subid": "user:1001:64535\n"},
    }
    (configured,) = (entry for entry in _render({"config": config}) if entry["kind"] == "ConfigMap")
    assert tomllib.loads(configured["data"]["buildkitd.toml"]) == {
        "debug": True,
        "grpc": {"uid": 1},
        "registry": {"a.example:5000": {"http": True, "mirrors": ["b"]}, "c": {"insecure": True}},
        "worker": {"oci": {"max-parallelism": 3, "gc": True, "reservedSpace": "2GB"}},
    }
    assert configured["data"]["subid"] == "user:1001:64535\n"
    cases: list[dict[str, Any]] = [{}, {"config": config}, {"app": {}}]
    checksums = {_pod(values)["metadata"]["annotations"]["checksum/config"] for values in cases}
    assert len(checksums) == 2


def test_pod_fields_are_passed_on_and_the_token_is_not_mounted() -> None:
    pod = _pod({"pod": {"spec": {"nodeSelector": {"a": "b"}, "priority": 2000000000}, "annotations": {"x": "y"}}})
    assert pod["spec"]["nodeSelector"] == {"a": "b"}
    assert pod["spec"]["priority"] == 2000000000
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert pod["spec"]["terminationGracePeriodSeconds"] <= 2
    assert pod["metadata"]["annotations"]["x"] == "y"
    own = _pod({"pod": {"spec": {"securityContext": {"fsGroup": 7}}}})
    assert own["spec"]["securityContext"] == {"fsGroup": 7}


def test_deployment_replaces_its_pod_and_selects_it() -> None:
    (deployment,) = (entry for entry in _render({"pod": {"labels": {"x": "y"}}}) if entry["kind"] == "Deployment")
    spec = deployment["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    labels = spec["template"]["metadata"]["labels"]
    assert spec["selector"]["matchLabels"].items() <= labels.items()
    assert labels["x"] == "y"


def test_post_renderer_changes_what_is_rendered() -> None:
    info = chart.load(str(SOURCE))
    renamed = chart.render(info, {}, release="r", namespace="n", post_renderer=("sed", "s/name: app$/name: ppa/"))
    assert "ppa" in [
        entry["name"] for entry in chart.pod_template(renamed, container="buildkitd")["spec"]["containers"]
    ]
