"""An embedded cluster used as one that stands already, by an account with exactly the rights that are shipped."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
import yaml

from clusters import process
from clusters.existing import rights
from clusters.provider import Cluster
from clusters.tags import RUN_LABEL
from conformance.errors import ApiError
from conformance.kube import Kube
from conformance.model import Outcome, Role, StageStatus
from tests.cluster import runs

pytestmark = pytest.mark.cluster

PATHS = {
    "Namespace": "/api/v1/namespaces",
    "ServiceAccount": "/api/v1/namespaces/build-conformance/serviceaccounts",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "ValidatingAdmissionPolicy": "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings",
}
BUILDERS = ("--builder=rootless-unset", "--builder=rootless-unconfined", "--builder=rootful-userns")


@pytest.fixture(scope="module")
def kubeconfig(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Apply what is shipped and return the kubeconfig of its account."""
    with Kube(cluster.kubeconfig, user_agent="test") as kube:
        for body in yaml.safe_load_all(rights.MANIFEST.read_text()):
            kube._call("POST", PATHS[body["kind"]], body)
        token = kube._call(
            "POST",
            f"{PATHS['ServiceAccount']}/build-conformance/token",
            {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 7200}},
        ).body["status"]["token"]
    config: dict[str, Any] = yaml.safe_load(cluster.kubeconfig.read_text())
    config["users"] = [{"name": "account", "user": {"token": token}}]
    inner = {**config["contexts"][0]["context"], "user": "account"}
    path = tmp_path_factory.mktemp("account") / "kubeconfig"
    # The current context is another one: it must be named.
    config |= {"contexts": [{"name": "account", "context": inner}], "current-context": "another"}
    path.write_text(yaml.safe_dump(config))
    return path


@pytest.fixture
def asked(cluster: Cluster, kubeconfig: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Return the options of a run there; the images are those on the node."""
    images = tmp_path / "images.toml"
    images.write_text(
        "".join(f'["{role}"]\nreference = "{each.reference}"\norigin = "o"\n' for role, each in cluster.images.items())
    )
    monkeypatch.setenv("BUILD_CONFORMANCE_IMAGES_FILE", str(images))
    return ("--cluster=existing", f"--kubeconfig={kubeconfig}", "--context=account", "--psa=baseline", "-n2")


def ours(cluster: Cluster) -> list[str]:
    with Kube(cluster.kubeconfig, user_agent="test") as kube:
        return [each["metadata"]["name"] for each in kube.namespaces(labels=RUN_LABEL)]


def test_cells_run_as_claimed_with_the_rights_that_are_shipped_and_nothing_is_left(
    cluster: Cluster, asked: tuple[str, ...], tmp_path: Path
) -> None:
    running = runs.start(tmp_path, *asked, *BUILDERS, "--allow-privileged")
    assert running.end() == 0, running.said
    results = running.folder.read_results()
    selected = [result for result in results if result.role is Role.SELECTED]
    assert len(selected) == 3
    assert {result.outcome for result in results} == {Outcome.AS_CLAIMED}
    [built] = [result for result in selected if result.class_ is None]
    skipped = {stage.stage: stage.detail for stage in built.stages if stage.status is StageStatus.NOT_RUN}
    assert skipped == {"run-image": "the cluster lacks node-pulls-fixtures"}
    assert ours(cluster) == []


def test_without_consent_no_control_runs_and_after_a_kill_the_janitor_cleans_up(
    cluster: Cluster, asked: tuple[str, ...], tmp_path: Path
) -> None:
    running = runs.start(tmp_path, *asked, *BUILDERS)
    running.wait_for_line("only with --allow-privileged")
    process.kill_group(running.child.pid, signal.SIGKILL)
    running.child.wait(runs.SOON)
    assert ours(cluster)
    said = runs.conformance("janitor", "--provider", "existing")
    assert "removed: existing" in said.stdout, said.stdout + said.stderr
    assert ours(cluster) == []


def test_the_account_cannot_touch_what_is_not_the_harness(cluster: Cluster, kubeconfig: Path) -> None:
    assert os.fspath(cluster.kubeconfig) != os.fspath(kubeconfig)
    with Kube(kubeconfig, user_agent="test", context="account") as kube:
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "not-labelled"}}
        for attempt in (
            lambda: kube.create_namespace(body),
            lambda: kube.delete_namespace("build-conformance"),
            lambda: kube.create_secret(
                "kube-system", {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}}
            ),
        ):
            with pytest.raises(ApiError, match="only namespaces with the label"):
                attempt()
