from __future__ import annotations

import json
from pathlib import Path

import pytest

from clusters.aks import signin
from clusters.aks.provider import AksProvider
from clusters.aks.signin import SignIn
from clusters.errors import ClustersError
from clusters.provider import ClusterSpec
from tests.clusters.aks import certificates
from tests.clusters.aks.azure import Azure, Fault
from tests.clusters.aks.servers import Answer

IDS = {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c"}
GITHUB = {"ACTIONS_ID_TOKEN_REQUEST_URL": "u", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "k"}


@pytest.mark.parametrize(
    ("environ", "way"),
    [
        ({}, None),
        (IDS, None),
        ({"AZURE_CLIENT_SECRET": "s"}, None),
        (GITHUB, None),
        ({**IDS, "AZURE_FEDERATED_TOKEN_FILE": "f", **GITHUB}, SignIn.TOKEN_FILE),
        ({**IDS, "AZURE_CLIENT_SECRET": "s", **GITHUB}, SignIn.SERVICE_PRINCIPAL),
        ({**IDS, "AZURE_CLIENT_CERTIFICATE_PATH": "p"}, SignIn.SERVICE_PRINCIPAL),
        ({**IDS, **GITHUB}, SignIn.GITHUB),
        ({"AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential"}, SignIn.MANAGED_IDENTITY),
    ],
)
def test_the_first_way_that_is_configured_is_taken(environ: dict[str, str], way: SignIn | None, tmp_path: Path) -> None:
    nowhere = {"PATH": str(tmp_path), "AZURE_CONFIG_DIR": str(tmp_path)}
    assert signin.chosen({**nowhere, **environ}) is way


@pytest.mark.parametrize(("subscriptions", "way"), [([], None), ([{"id": "1"}], SignIn.COMMAND_LINE)])
def test_az_counts_only_when_it_is_logged_in(
    subscriptions: list[dict[str, str]], way: SignIn | None, tmp_path: Path
) -> None:
    program = tmp_path / "az"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    environ = {"PATH": str(tmp_path), "AZURE_CONFIG_DIR": str(tmp_path)}
    assert signin.chosen(environ) is None
    text = json.dumps({"subscriptions": subscriptions})
    (tmp_path / "azureProfile.json").write_text(text, encoding="utf-8-sig")
    assert signin.chosen(environ) is way


def test_the_token_of_the_file_is_exchanged(azure: Azure, provider: AksProvider, spec: ClusterSpec) -> None:
    provider.create(spec, lambda _: None)
    assert set(azure.assertions) == {"assertion-of-the-file"}


def test_a_workflow_of_githubs_gets_a_new_identity_token_for_each_sign_in(
    azure: Azure, provider: AksProvider, spec: ClusterSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AZURE_FEDERATED_TOKEN_FILE")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{azure.url}/github?api-version=2")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "runner")
    provider.create(spec, lambda _: None)
    provider.delete(spec.name)
    assert len(set(azure.assertions)) == len(azure.assertions) == azure.calls.count("sign in") == 2
    assert all(each.startswith("assertion-") for each in azure.assertions)


def test_a_workflow_without_the_permission_is_told_which(
    azure: Azure, provider: AksProvider, spec: ClusterSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AZURE_FEDERATED_TOKEN_FILE")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{azure.url}/github?api-version=2")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "another")
    with pytest.raises(ClustersError, match="id-token: write"):
        provider.create(spec, lambda _: None)
    assert azure.is_empty


@pytest.mark.parametrize(
    ("text", "next_step"),
    [
        ("AADSTS700024: Client assertion is not within its valid time range.", "issued anew"),
        ("AADSTS70021: No matching federated identity record found.", "issuer, subject and audience"),
        ("AADSTS7000222: The provided client secret keys are expired.", "make a new one"),
    ],
)
def test_a_refused_sign_in_says_what_to_mend(
    azure: Azure, provider: AksProvider, spec: ClusterSpec, text: str, next_step: str
) -> None:
    refusal = Answer(status=400, body={"error": "invalid_client", "error_description": text})
    azure.faults = [Fault(title="sign in", answer=refusal, times=99)]
    with pytest.raises(ClustersError, match="did not accept the sign-in") as caught:
        provider.create(spec, lambda _: None)
    assert next_step in str(caught.value)
    assert azure.is_empty


def test_a_token_file_that_is_gone_is_told(
    azure: Azure, provider: AksProvider, spec: ClusterSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", "/nowhere/token")
    with pytest.raises(ClustersError, match="/nowhere/token"):
        provider.create(spec, lambda _: None)
    assert azure.is_empty


def test_nobody_is_spoken_to_whom_the_authority_does_not_know(
    azure: Azure, provider: AksProvider, spec: ClusterSpec, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bundle = tmp_path / "another.pem"
    bundle.write_bytes(certificates.authority().pem)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    with pytest.raises(ClustersError, match="REQUESTS_CA_BUNDLE"):
        provider.create(spec, lambda _: None)
    assert azure.calls == []
