from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from clusters.embedded import configs
from clusters.embedded.addresses import CLUSTER_DNS_IP, POD_CIDR, REGISTRY_CLUSTER_IP, REGISTRY_HOST
from clusters.embedded.layout import Layout
from clusters.provider import NodeConditions


@pytest.fixture
def node(tmp_path: Path) -> configs.Node:
    return configs.Node(
        layout=Layout(name="one", root=tmp_path),
        ip="10.203.0.2",
        pause="localhost/pause:1",
        programs=tmp_path / "bin",
        has_apparmor=True,
        may_lower_oom_score=True,
        filters_bridge=True,
    )


def test_containerd_uses_our_programs_and_the_pause_image_that_is_there(node: configs.Node) -> None:
    content = tomllib.loads(configs.containerd(node))
    runtime = content["plugins"]["io.containerd.cri.v1.runtime"]
    assert runtime["containerd"]["runtimes"]["runc"]["options"]["BinaryName"] == str(node.programs / "runc")
    assert content["plugins"]["io.containerd.cri.v1.images"]["pinned_images"]["sandbox"] == "localhost/pause:1"
    # Where the machine can do it, nothing is switched off.
    assert runtime["disable_apparmor"] is False
    assert runtime["restrict_oom_score_adj"] is False


def test_what_the_machine_lacks_is_switched_off(node: configs.Node) -> None:
    poor = replace(node, has_apparmor=False, may_lower_oom_score=False, filters_bridge=False)
    runtime = tomllib.loads(configs.containerd(poor))["plugins"]["io.containerd.cri.v1.runtime"]
    assert runtime["disable_apparmor"] is True
    assert runtime["restrict_oom_score_adj"] is True
    assert yaml.safe_load(configs.kubelet(poor))["oomScoreAdj"] == 0
    assert "oomScoreAdj" not in yaml.safe_load(configs.kubelet(node))
    assert yaml.safe_load(configs.kube_proxy(poor))["nftables"]["masqueradeAll"] is True
    assert yaml.safe_load(configs.kube_proxy(node))["nftables"]["masqueradeAll"] is False


def test_the_kubelet_keeps_the_defaults_that_verdicts_depend_on(node: configs.Node) -> None:
    content = yaml.safe_load(configs.kubelet(node))
    assert not {"seccompDefault", "featureGates", "userNamespaces", "podPidsLimit"} & content.keys()
    assert content["cgroupRoot"] == f"/{node.layout.cgroup}"
    assert content["authentication"]["anonymous"]["enabled"] is False
    assert content["authorization"]["mode"] == "Webhook"
    assert content["clusterDNS"] == [CLUSTER_DNS_IP]


def test_the_fixture_registry_is_pulled_from_by_name_without_dns_over_plain_http(node: configs.Node) -> None:
    node.layout.config.mkdir()
    configs.write(node)
    hosts = tomllib.loads((node.layout.config / "certs.d" / REGISTRY_HOST / "hosts.toml").read_text())
    assert hosts["server"] == f"http://{REGISTRY_CLUSTER_IP}:5000"
    assert list(hosts["host"]) == [f"http://{REGISTRY_CLUSTER_IP}:5000"]
    images = tomllib.loads(configs.containerd(node))["plugins"]["io.containerd.cri.v1.images"]
    assert images["registry"]["config_path"] == str(node.layout.config / "certs.d")


def test_pods_get_addresses_of_the_range_that_kube_proxy_takes_for_local(node: configs.Node) -> None:
    bridge = json.loads(configs.cni())["plugins"][0]
    assert bridge["ipam"]["ranges"] == [[{"subnet": POD_CIDR}]]
    assert yaml.safe_load(configs.kube_proxy(node))["clusterCIDR"] == POD_CIDR


def test_every_file_that_a_component_is_given_is_written(node: configs.Node) -> None:
    node.layout.config.mkdir()
    configs.write(node)
    names = {str(path.relative_to(node.layout.config)) for path in node.layout.config.rglob("*") if path.is_file()}
    assert {"containerd.toml", "kubelet.yaml", "kube-proxy.yaml", "Corefile", "cni/10-pods.conflist"} <= names
    assert str(node.layout.kubeconfigs / "coredns") in (node.layout.config / "Corefile").read_text()


def test_the_kubelet_is_told_the_conditions_that_were_asked_for_and_no_others(node: configs.Node) -> None:
    plain = yaml.safe_load(configs.kubelet(node))
    assert not {"seccompDefault", "userNamespaces"} & set(plain)
    asked = replace(node, conditions=NodeConditions(seccomp_default=True, ids_per_pod=262144))
    told = yaml.safe_load(configs.kubelet(asked))
    assert told == plain | {"seccompDefault": True, "userNamespaces": {"idsPerPod": 262144}}
