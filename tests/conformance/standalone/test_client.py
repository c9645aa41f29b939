"""The client's pod and namespace, as they are created."""

from __future__ import annotations

import base64

import pytest

from conformance.model import ClientNamespace
from conformance.standalone import client


def test_the_clients_namespace_is_restricted_and_bears_the_runs_label() -> None:
    labels = client.namespace("n", ClientNamespace.FORBIDDEN, run_id="r", cell_id="c")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert labels["build-conformance.dev/run"] == "r"


@pytest.mark.parametrize("which", ClientNamespace)
def test_only_an_allowed_namespace_bears_the_label_that_policies_name(which: ClientNamespace) -> None:
    labels = client.namespace("n", which, run_id="r", cell_id="c")["metadata"]["labels"]
    assert (client.ALLOWED.items() <= labels.items()) is (which is ClientNamespace.ALLOWED)


def test_the_clients_pod_is_admissible_at_restricted() -> None:
    spec = client.pod("i", with_files=True)["spec"]
    (container,) = spec["containers"]
    assert container["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] != 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert {key for volume in spec["volumes"] for key in volume} == {"name", "secret"}


def test_a_client_without_certificates_mounts_none() -> None:
    spec = client.pod("i", with_files=False)["spec"]
    assert spec["volumes"] == []
    assert "volumeMounts" not in spec["containers"][0]


def test_a_pod_is_found_by_the_selector() -> None:
    labels = client.pod("i", with_files=False)["metadata"]["labels"]
    assert client.selector() == ",".join(f"{key}={value}" for key, value in labels.items())


def test_a_secret_holds_its_files_as_the_api_wants_them() -> None:
    made = client.secret("s", {"ca.crt": b"text"})
    assert base64.b64decode(made["data"]["ca.crt"]) == b"text"
