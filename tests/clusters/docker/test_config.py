"""What kind and k3d are told, beside what they do by themselves."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from clusters import k3d, kind
from clusters.docker import node_images, tools
from clusters.docker.places import SHORT, place_of
from clusters.embedded import toolchain
from clusters.errors import UsageError
from clusters.provider import NodeConditions
from tests.clusters.docker.conftest import FakeEngine


def test_a_cluster_without_wishes_gets_kinds_own_defaults() -> None:
    assert kind.config({}, NodeConditions(), {}) == {"kind": "Cluster", "apiVersion": "kind.x-k8s.io/v1alpha4"}


def test_a_given_configuration_keeps_its_nodes_and_gets_the_conditions() -> None:
    given = {"nodes": [{"role": "control-plane"}, {"role": "worker", "extraMounts": [{"hostPath": "/a"}]}]}
    wanted = NodeConditions(seccomp_default=True, ids_per_pod=262144, seccomp_profiles=True)
    content = kind.config(given, wanted, {"apiServerAddress": "10.0.0.2", "apiServerPort": 20000})
    assert content["networking"] == {"apiServerAddress": "10.0.0.2", "apiServerPort": 20000}
    (patch,) = content["kubeadmConfigPatches"]
    assert yaml.safe_load(patch)["seccompDefault"] is True
    assert yaml.safe_load(patch)["userNamespaces"] == {"idsPerPod": 262144}
    assert [len(node["extraMounts"]) for node in content["nodes"]] == [2, 3]
    assert all(Path(mount["hostPath"]).is_file() for mount in content["nodes"][0]["extraMounts"])
    assert given["nodes"][0] == {"role": "control-plane"}


@pytest.mark.parametrize("text", ["[1", "- a list", "apiVersion: kind.x-k8s.io/v1"])
def test_a_configuration_that_is_none_of_kinds_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "kind.yaml"
    file.write_text(text)
    with pytest.raises(UsageError, match=r"kind\.yaml"):
        kind.read_config(str(file))


def test_k3d_hands_conditions_on_to_every_kubelet() -> None:
    words = list(k3d.arguments(NodeConditions(seccomp_default=True, seccomp_profiles=True)))
    assert words[:2] == ["--k3s-arg", "--kubelet-arg=seccomp-default@server:*;agent:*"]
    assert words.count("--volume") == 2
    assert "ids per pod" in (k3d.K3dProvider().why_impossible(NodeConditions(ids_per_pod=262144)) or "")


def test_long_names_are_shortened_to_what_k3d_takes_and_stay_apart() -> None:
    places = [place_of("k3d", f"run-20261121-065532-abcd-k3d-1-35-{end}") for end in ("a", "b")]
    assert all(len(place.short) <= SHORT for place in places)
    assert len({place.short for place in places}) == 2
    assert place_of("k3d", "short").short == "short"


def test_every_published_image_is_of_the_line_that_it_is_listed_under() -> None:
    for tool in ("kind", "k3d"):
        for line, reference in node_images.published(tool).items():
            assert f":v{line}." in reference
    assert all("@sha256:" in reference for reference in node_images.published("kind").values())


def test_the_default_line_is_published_for_both() -> None:
    assert all(toolchain.DEFAULT_LINE in node_images.published(tool) for tool in ("kind", "k3d"))


@pytest.mark.parametrize(("said", "suits"), [("kind v0.33.0 go1.26", True), ("kind v0.9.0", False), ("", False)])
def test_a_tool_on_path_is_used_when_its_version_suits(engine: FakeEngine, said: str, *, suits: bool) -> None:
    engine.answers[("version",)] = said
    assert (tools.find("kind", "0.27.0") is not None) is suits
