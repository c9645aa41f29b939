"""What stands beside a standalone release: made in order, in two namespaces, and told as facts."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, cast

import pytest

from clusters.provider import Capability, Cluster, Image, ImageRole, Provenance
from conformance import fixtures
from conformance.chart import ADAPTERS
from conformance.kube import Json, Kube
from conformance.model import Builder, Cell, Level, PsaLevel, Tls
from conformance.stages import CellRun
from conformance.standalone import arrangement, client
from conformance.tools import driver_of
from conformance.waiting import Timeouts

POD = {"metadata": {"labels": {"app.kubernetes.io/instance": "conformance"}}}


class Server:
    """Keeps what is created, by namespace and kind."""

    def __init__(self) -> None:
        self.made: list[tuple[str, str]] = []
        self.namespaces: dict[str, Json] = {}
        self.secrets: dict[str, Json] = {}
        self.policies: list[Json] = []

    def create_namespace(self, body: Json) -> None:
        self.namespaces[body["metadata"]["name"]] = body
        self.made.append((body["metadata"]["name"], "Namespace"))

    def service_account(self, namespace: str) -> Json:
        assert namespace in self.namespaces
        return {}

    def create_secret(self, namespace: str, body: Json) -> None:
        self.secrets[f"{namespace}/{body['metadata']['name']}"] = body
        self.made.append((namespace, "Secret"))

    def create_pod(self, namespace: str, _: Json) -> None:
        self.made.append((namespace, "Pod"))

    def fetch(self, path: str) -> Json | None:
        if path.endswith("/networkpolicies"):
            assert "/namespaces/cell/" in path
            return {"items": self.policies}
        return self.namespaces.get(path.rsplit("/", 1)[1])


@pytest.fixture
def server() -> Server:
    return Server()


def under_way(server: Server, **standalone: object) -> CellRun:
    builder = Builder.model_validate(
        {
            "name": "b",
            "summary": "s",
            "origin": "o",
            "image": ImageRole.BUILDKIT_ROOTLESS,
            "topology": "standalone",
            "needs": ("network-policy",),
            "standalone": standalone,
        }
    )
    images = {role: Image(role=role, reference=f"localhost/{role}", digest="d", origin="o") for role in ImageRole}
    level = Level(psa=PsaLevel.BASELINE)
    return CellRun(
        cell=Cell(id="c", provider="embedded", kubernetes="1.35", level=level, builder=builder),
        cluster=Cluster(
            name="c",
            provider="embedded",
            run_id="r",
            kubeconfig=Path("/nowhere"),
            kubernetes="1.35",
            provenance=Provenance.GENUINE,
            capabilities=frozenset(Capability),
            images=images,
        ),
        kube=cast("Kube", server),
        fixtures=fixtures.addresses(),
        namespace="cell",
        release="conformance",
        builder_container="buildkitd",
        client_container=client.CONTAINER,
        timeouts=Timeouts(),
        git_context="",
        driver=driver_of(builder, ADAPTERS["build-standalone"].connection(builder, "cell")),
        client_namespace="elsewhere",
        client_labels=client.selector(),
    )


def test_the_daemons_secret_is_in_its_namespace_and_the_clients_in_its_own(server: Server) -> None:
    facts = arrangement.before_install(under_way(server), run_id="r")
    assert server.made == [
        ("cell", "Secret"),
        ("elsewhere", "Namespace"),
        ("elsewhere", "Secret"),
        ("elsewhere", "Pod"),
    ]
    assert facts.server_name == "buildkitd.cell.svc.cluster.local"
    assert facts.daemon is not None
    assert facts.name_matches


def test_no_secret_is_made_where_nobody_speaks_tls(server: Server) -> None:
    facts = arrangement.before_install(under_way(server, tls=Tls.BOTH_PLAINTEXT), run_id="r")
    assert server.secrets == {}
    assert (facts.daemon, facts.client_speaks_tls) == (None, False)


def test_only_secrets_hold_keys(server: Server) -> None:
    facts = arrangement.before_install(under_way(server), run_id="r")
    (key, *_) = (base64.b64decode(each["data"]["tls.key"]) for each in server.secrets.values())
    assert b"PRIVATE KEY" in key
    assert "PRIVATE" not in facts.model_dump_json()


@pytest.mark.parametrize(("which", "admitted"), [("allowed", True), ("forbidden", False)])
def test_policies_are_judged_by_the_clients_namespace_as_it_is(server: Server, which: str, *, admitted: bool) -> None:
    cell_run = under_way(server, network_policy=True, client_namespace=which)
    tls = arrangement.before_install(cell_run, run_id="r")
    rule: dict[str, Any] = {"from": [{"namespaceSelector": {"matchLabels": client.ALLOWED}}], "ports": [{"port": 1234}]}
    spec = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [rule]}
    server.policies = [{"metadata": {"name": "p"}, "spec": spec}]
    policy = arrangement.after_install(cell_run, tls, POD).policy
    assert (policy.enforced, policy.selecting, policy.admits_client) == (True, ("p",), admitted)
