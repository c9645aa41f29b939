from __future__ import annotations

import json
from pathlib import Path

import pytest

from clusters.aks.provider import AksProvider
from clusters.errors import ClustersError
from clusters.provider import ClusterSpec
from tests.clusters.aks.azure import Azure, Fault, error
from tests.clusters.aks.conftest import NAME


def test_a_cluster_tells_all_but_its_keys(
    azure: Azure, provider: AksProvider, spec: ClusterSpec, tmp_path: Path
) -> None:
    cluster = provider.create(spec, lambda _: None)
    assert azure.clusters
    provider.collect_logs(NAME, tmp_path / "logs")
    files = {path.name: path.read_text() for path in (tmp_path / "logs").iterdir()}
    assert json.loads(files["azure.json"])["properties"]["provisioningState"] == "Succeeded"
    assert json.loads(files["nodes.json"])["items"]
    assert {"group.json", "nodes-group.json", "events.json", "system-pods.json", "cluster.json"} <= files.keys()
    key = cluster.kubeconfig.read_text().split("client-key-data: ")[1].split()[0]
    assert not any(key in text or "token-" in text for text in files.values())


@pytest.mark.parametrize("title", ["PUT group", "PUT cluster", "POST credentials"])
def test_a_half_made_cluster_tells_what_there_is(
    azure: Azure, provider: AksProvider, spec: ClusterSpec, tmp_path: Path, title: str
) -> None:
    azure.faults = [Fault(title=title, answer=error(403, "AuthorizationFailed", "no"), times=99)]
    with pytest.raises(ClustersError):
        provider.create(spec, lambda _: None)
    provider.collect_logs(NAME, tmp_path / "logs")
    files = {path.name: path.read_text() for path in (tmp_path / "logs").iterdir()}
    assert "no kubeconfig" in files["cluster.txt"]
    assert ("ResourceGroupNotFound" in files["group.json"]) == (title == "PUT group")
    assert ("could not be found" in files["azure.json"] or "not found" in files["azure.json"]) == (
        title != "POST credentials"
    )


@pytest.mark.usefixtures("no_credentials")
def test_without_a_sign_in_that_is_what_is_told(provider: AksProvider, tmp_path: Path) -> None:
    provider.collect_logs(NAME, tmp_path)
    assert (
        "az login" in (tmp_path / "not-asked.txt").read_text()
        or "AZURE_SUBSCRIPTION_ID" in (tmp_path / "not-asked.txt").read_text()
    )
