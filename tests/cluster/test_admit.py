"""What a real API server admits, asked from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from clusters.provider import Cluster
from conformance import chart, fixtures
from conformance.commands.admit import admit_command
from conformance.kube import Kube
from conformance.matrix import MATRICES, load_builders
from conformance.namespace import RUN_LABEL
from conformance.preflight import REFERENCE_CHARTS

pytestmark = pytest.mark.cluster

UNMASKED = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "unmasked"},
    "spec": {
        "hostUsers": False,
        "containers": [{"name": "builder", "image": "i", "securityContext": {"procMount": "Unmasked"}}],
    },
}


def ask(cluster: Cluster, source: str, *words: str) -> tuple[int, list[dict[str, Any]]]:
    """Return how the command ended and the answers it printed."""
    result = CliRunner().invoke(admit_command, [source, "--kubeconfig", str(cluster.kubeconfig), "--json", *words])
    assert result.exit_code in {0, 1}, result.output
    answers: list[dict[str, Any]] = json.loads(result.stdout)["answers"]
    return result.exit_code, answers


def values_of(builder: str, cluster: Cluster, folder: Path) -> str:
    """Write the reference chart's values for a builder as a cell would set them."""
    adapter = chart.adapter_for(chart.load(str(REFERENCE_CHARTS / "build-sidecar")))
    known = load_builders(MATRICES / "builders")[builder]
    path = folder / f"{builder}.yaml"
    path.write_text(yaml.safe_dump(adapter.values(known, cluster.images, fixtures.addresses().registry)))
    return str(path)


def manifest(folder: Path, *objects: dict[str, Any]) -> str:
    path = folder / "pods.yaml"
    path.write_text(yaml.safe_dump_all(objects))
    return str(path)


def test_the_pod_of_rootless_unset_is_admitted_at_baseline(cluster: Cluster, tmp_path: Path) -> None:
    values = values_of("rootless-unset", cluster, tmp_path)
    code, answers = ask(cluster, str(REFERENCE_CHARTS / "build-sidecar"), "--values", values, "--psa", "baseline")
    assert code == 0
    assert [each["verdict"] for each in answers] == ["admitted"]


def test_the_pod_of_rootless_unconfined_is_refused_at_baseline_for_both_profiles(
    cluster: Cluster, tmp_path: Path
) -> None:
    values = values_of("rootless-unconfined", cluster, tmp_path)
    code, (answer,) = ask(cluster, str(REFERENCE_CHARTS / "build-sidecar"), "--values", values, "--psa", "baseline")
    assert code == 1
    assert answer["refused_by"] == "pod-security"
    assert [(each["reason"], each["clauses"][0]["containers"]) for each in answer["violations"]] == [
        ("forbidden AppArmor profile", ["buildkitd"]),
        ("seccompProfile", ["buildkitd"]),
    ]
    fields = [field for each in answer["violations"] for clause in each["clauses"] for field in clause["fields"]]
    assert fields == ["securityContext.appArmorProfile.type", "securityContext.seccompProfile.type"]


def test_an_unmasked_proc_in_a_user_namespace_is_admitted_from_policy_v1_35_on(
    cluster: Cluster, tmp_path: Path
) -> None:
    source = manifest(tmp_path, UNMASKED)
    code, (before, after) = ask(cluster, source, "--psa", "baseline@v1.34", "--psa", "baseline@v1.35")
    assert code == 1
    assert (before["level"], before["verdict"]) == ("baseline@v1.34", "refused")
    assert [each["reason"] for each in before["violations"]] == ["procMount"]
    assert (after["level"], after["verdict"]) == ("baseline@v1.35", "admitted")
    assert after["notes"] == []


def test_a_pod_that_is_not_valid_is_not_called_a_violation(cluster: Cluster, tmp_path: Path) -> None:
    spec = {key: value for key, value in UNMASKED["spec"].items() if key != "hostUsers"}  # type: ignore[attr-defined]
    _, (answer,) = ask(cluster, manifest(tmp_path, {**UNMASKED, "spec": spec}), "--psa", "baseline")
    assert answer["refused_by"] == "validation"
    assert answer["failure_class"] == "procmount-needs-hostusers-false"
    assert answer["violations"] == []


def test_a_field_that_the_server_does_not_know_is_told(cluster: Cluster, tmp_path: Path) -> None:
    pod = {**UNMASKED, "spec": {"containers": [{"name": "c", "image": "i", "bogus": 1}]}}
    _, (answer,) = ask(cluster, manifest(tmp_path, pod), "--psa", "baseline")
    assert answer["warnings"] == ['unknown field "spec.containers[0].bogus"']
    assert answer["notes"] == ["the server dropped spec.containers[c].bogus"]


def test_no_namespace_stays(cluster: Cluster, tmp_path: Path) -> None:
    ask(cluster, manifest(tmp_path, UNMASKED))
    with Kube(cluster.kubeconfig, user_agent="test") as kube:
        left = [each for each in kube.namespaces(labels=RUN_LABEL) if each["metadata"]["name"].startswith("admit-")]
    assert all(each["status"]["phase"] == "Terminating" for each in left)
