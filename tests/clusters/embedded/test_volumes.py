from __future__ import annotations

import json
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import yaml

from clusters.embedded import node, probes, subnets, volumes
from clusters.embedded.layout import Layout
from clusters.embedded.orders import Kind


def objects(kind: str) -> list[tuple[str, dict[str, Any]]]:
    return [(path, body) for path, body in volumes.objects() if body["kind"] == kind]


def test_claims_that_name_no_class_are_answered_once_a_pod_is_placed() -> None:
    [(_, found)] = objects("StorageClass")
    assert found["metadata"]["annotations"] == {"storageclass.kubernetes.io/is-default-class": "true"}
    assert found["volumeBindingMode"] == "WaitForFirstConsumer"
    assert found["reclaimPolicy"] == "Delete"


def test_helper_pods_are_not_held_to_a_level() -> None:
    [(_, found)] = objects("Namespace")
    assert found["metadata"]["labels"] == {"pod-security.kubernetes.io/enforce": "privileged"}


def test_what_lies_in_the_namespace_is_made_after_it() -> None:
    paths = [path for path, _ in volumes.objects()]
    inside = [index for index, path in enumerate(paths) if f"/namespaces/{volumes.NAMESPACE}/" in path]
    assert inside
    assert min(inside) > paths.index("/api/v1/namespaces")


def test_volumes_go_with_the_cluster(tmp_path: Path) -> None:
    layout = Layout(name="one", root=tmp_path)
    [paths] = [entry["paths"] for entry in json.loads(volumes.configuration())["nodePathMap"]]
    subnet = subnets.Subnet(network=IPv4Network("10.203.0.0/30"))
    order = node.orders(layout, subnet, cgroups=(), visible=(), images=tmp_path / "images.tar")
    below = [mount.source for mount in order.mounts for path in paths if Path(path).is_relative_to(mount.target)]
    assert below == [layout.var_lib]


def test_helper_pods_run_as_root_from_an_image_that_is_on_the_node() -> None:
    [container] = yaml.safe_load(volumes.helper_pod("app:1"))["spec"]["containers"]
    assert container["image"] == "app:1"
    assert container["imagePullPolicy"] == "Never"
    assert container["securityContext"]["runAsUser"] == 0


def test_the_provisioner_is_ready_when_its_log_says_so(tmp_path: Path) -> None:
    layout = Layout(name="one", root=tmp_path)
    layout.logs.mkdir()
    ready = volumes.step(layout).ready
    server = node.api(layout, "127.0.0.1")
    assert ready.kind is Kind.LOGGED
    assert not probes.is_ready(ready, server)
    log = layout.logs / "local-path-provisioner.log"
    log.write_text("I1121 controller.go:811] Starting provisioner controller rancher.io/local-path_one!\n")
    assert not probes.is_ready(ready, server)
    with log.open("a") as sink:
        sink.write("I1121 controller.go:860] Started provisioner controller rancher.io/local-path_one!\n")
    assert probes.is_ready(ready, server)
