"""The objects that charts/build-standalone renders. Needs helm, which the toolchain builds: marker `cluster`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from clusters import process
from clusters.embedded import toolchain
from clusters.paths import CHECKOUT
from clusters.provider import Image, ImageRole
from conformance import chart
from conformance.errors import HelmError, UsageError
from conformance.matrix import MATRICES, load_builders
from conformance.model import Builder, Tls, Topology
from conformance.standalone.client import ALLOWED

pytestmark = pytest.mark.cluster

SOURCE = CHECKOUT / "charts" / "build-standalone"
IMAGES = {role: Image(role=role, reference=f"localhost/{role}:1", digest="", origin="") for role in ImageRole}
BUILDERS = {
    name: builder
    for name, builder in load_builders(MATRICES / "builders").items()
    if builder.topology is Topology.STANDALONE
}
SECRET = {"tls": {"secretName": "server"}}
HOST = "r-build-standalone.n.svc.cluster.local"


@pytest.fixture(scope="module", autouse=True)
def _helm() -> None:
    """Build helm where there is none: these tests are never skipped."""
    try:
        chart.find_helm()
    except UsageError:
        toolchain.ensure(toolchain.pick(["helm"], kubernetes=toolchain.DEFAULT_LINE), progress=print)


class Rendered:
    """Rendered objects by kind and name."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.objects = chart.render(chart.load(str(SOURCE)), values, release="r", namespace="n")

    def __getitem__(self, kind: str) -> list[dict[str, Any]]:
        return [each for each in self.objects if each["kind"] == kind]

    @property
    def workload(self) -> dict[str, Any]:
        (found,) = (each for each in self.objects if each["kind"] in {"StatefulSet", "Deployment"})
        return found

    @property
    def spec(self) -> dict[str, Any]:
        return dict(self.workload["spec"]["template"]["spec"])

    @property
    def daemon(self) -> dict[str, Any]:
        (container,) = self.spec["containers"]
        return dict(container)


def of(builder: Builder) -> Rendered:
    return Rendered(chart.ADAPTERS["build-standalone"].values(builder, IMAGES, "registry.test:5000"))


def test_the_chart_passes_helm_lint(tmp_path: Path) -> None:
    done = process.run([chart.find_helm(), "lint", "--strict", SOURCE, "--set=tls.secretName=s"], cwd=tmp_path)
    assert "0 chart(s) failed" in done.stdout


@pytest.mark.parametrize("builder", BUILDERS.values(), ids=BUILDERS)
def test_all_that_a_builder_says_is_in_its_objects(builder: Builder) -> None:
    made, said = of(builder), builder.standalone
    assert (made.workload["kind"], made.workload["spec"]["replicas"]) == (said.kind, said.replicas)
    assert made.daemon.get("securityContext", {}) == builder.security_context
    assert tuple(made.daemon["args"][-len(builder.args) :]) == builder.args
    assert {"name": "state", "mountPath": builder.state_directory} in made.daemon["volumeMounts"]
    assert made.spec["securityContext"] == {"fsGroup": 1000, **builder.pod_security_context}
    claims = made.workload["spec"].get("volumeClaimTemplates", [])
    assert [each["spec"]["resources"]["requests"]["storage"] for each in claims] == [said.storage] * bool(said.storage)
    assert any(volume["name"] == "state" for volume in made.spec["volumes"]) is not bool(said.storage)
    assert bool(made["PodDisruptionBudget"]) is said.pod_disruption_budget
    assert bool(made["NetworkPolicy"]) is said.network_policy
    with_tls = said.tls not in {Tls.SERVER_PLAINTEXT, Tls.BOTH_PLAINTEXT}
    assert ("--tlscacert" in made.daemon["args"]) is with_tls
    assert any("secret" in volume for volume in made.spec["volumes"]) is with_tls


def test_the_privileged_builder_is_the_references_stateful_set() -> None:
    made = of(BUILDERS["standalone-privileged"])
    (budget,), (policy,) = made["PodDisruptionBudget"], made["NetworkPolicy"]
    assert made.workload["kind"] == "StatefulSet"
    assert made.daemon["securityContext"]["privileged"] is True
    assert budget["spec"]["minAvailable"] == 1
    (rule,) = policy["spec"]["ingress"]
    assert rule["from"] == [{"podSelector": {}}, {"namespaceSelector": {"matchLabels": ALLOWED}}]
    assert rule["ports"] == [{"port": 1234, "protocol": "TCP"}]
    (service,) = (each for each in made["Service"] if each["metadata"]["name"] == "buildkitd")
    assert (service["spec"]["type"], service["spec"]["ports"][0]["port"]) == ("ClusterIP", 1234)


def test_the_deployment_is_the_references_two_pods_without_a_volume_of_their_own() -> None:
    made = of(BUILDERS["standalone-rootless-deployment"])
    assert (made.workload["kind"], made.workload["spec"]["replicas"]) == ("Deployment", 2)
    assert "--oci-worker-no-process-sandbox" in made.daemon["args"]
    assert "volumeClaimTemplates" not in made.workload["spec"]
    assert not {"serviceName", "podManagementPolicy"} & set(made.workload["spec"])


def test_everything_selects_the_pods_and_nothing_else() -> None:
    made = Rendered(SECRET)
    labels = made.workload["spec"]["template"]["metadata"]["labels"]
    selectors = [
        made.workload["spec"]["selector"]["matchLabels"],
        *(each["spec"]["selector"] for each in made["Service"]),
        *(each["spec"]["selector"]["matchLabels"] for each in made["PodDisruptionBudget"]),
        *(each["spec"]["podSelector"]["matchLabels"] for each in made["NetworkPolicy"]),
    ]
    assert len(selectors) == 5
    assert all(selector and selector.items() <= labels.items() for selector in selectors)


def test_a_stateful_set_names_its_pods_by_the_headless_service() -> None:
    made = Rendered(SECRET)
    (headless,) = (each for each in made["Service"] if each["spec"].get("clusterIP") == "None")
    assert made.workload["spec"]["serviceName"] == headless["metadata"]["name"]


def test_probes_ask_the_socket_because_the_kubelet_has_no_certificate() -> None:
    daemon = Rendered(SECRET).daemon
    socket = "unix:///run/buildkit/buildkitd.sock"
    for name in ("readinessProbe", "livenessProbe"):
        assert daemon[name]["exec"]["command"] == ["buildctl", "--addr", socket, "debug", "workers"]
    assert daemon["args"][:4] == ["--addr", socket, "--addr", "tcp://0.0.0.0:1234"]
    assert daemon["livenessProbe"]["periodSeconds"] * daemon["livenessProbe"]["failureThreshold"] >= 300


def test_the_daemon_reads_its_files_from_the_secret() -> None:
    made = Rendered(SECRET)
    (volume,) = (each for each in made.spec["volumes"] if each["name"] == "tls")
    assert volume["secret"] == {"secretName": "server", "defaultMode": 0o440}
    (mount,) = (each for each in made.daemon["volumeMounts"] if each["name"] == "tls")
    args = made.daemon["args"]
    for flag, file in (("--tlscacert", "ca.crt"), ("--tlscert", "tls.crt"), ("--tlskey", "tls.key")):
        assert args[args.index(flag) + 1] == f"{mount['mountPath']}/{file}"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "name a Secret with ca.crt, tls.crt and tls.key"),
        ({**SECRET, "kind": "Deployment"}, "two daemons must not share their state"),
        ({**SECRET, "replica": 2}, "replica"),
    ],
)
def test_what_cannot_work_is_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(HelmError, match=said):
        Rendered(values)


def test_a_policy_that_names_nobody_lets_nobody_in() -> None:
    (policy,) = Rendered({**SECRET, "networkPolicy": {"sameNamespace": False}})["NetworkPolicy"]
    assert policy["spec"]["ingress"] == []


def test_cert_manager_signs_both_sides_with_a_ca_of_the_releases_own() -> None:
    made = Rendered({"certManager": {"enabled": True, "client": {"enabled": True}}})
    every = {each["metadata"]["name"].removeprefix("r-build-standalone-"): each["spec"] for each in made["Certificate"]}
    assert set(every) == {"ca", "server", "client"}
    issuers = {each["metadata"]["name"]: each["spec"] for each in made["Issuer"]}
    assert every["ca"]["isCA"] is True
    assert issuers[every["ca"]["issuerRef"]["name"]] == {"selfSigned": {}}
    for side in ("server", "client"):
        assert issuers[every[side]["issuerRef"]["name"]] == {"ca": {"secretName": every["ca"]["secretName"]}}
        assert f"{side} auth" in every[side]["usages"]
    assert HOST in every["server"]["dnsNames"]
    (volume,) = (each for each in made.spec["volumes"] if each["name"] == "tls")
    assert volume["secret"]["secretName"] == every["server"]["secretName"]


def test_cert_manager_uses_an_issuer_that_is_there() -> None:
    issuer = {"name": "company", "kind": "ClusterIssuer", "group": "cert-manager.io"}
    made = Rendered({"certManager": {"enabled": True, "issuerRef": issuer}})
    (certificate,) = made["Certificate"]
    assert certificate["spec"]["issuerRef"] == issuer
    assert made["Issuer"] == []


def test_configuration_is_toml_and_its_change_restarts_the_pods() -> None:
    config = {"registries": {"a.example:5000": {"http": True}}, "maxParallelism": 3, "gc": {"reservedSpace": "2GB"}}
    (configured,) = Rendered({**SECRET, "config": config})["ConfigMap"]
    assert tomllib.loads(configured["data"]["buildkitd.toml"]) == {
        "registry": {"a.example:5000": {"http": True}},
        "worker": {"oci": {"max-parallelism": 3, "gc": True, "reservedSpace": "2GB"}},
    }
    cases: list[dict[str, Any]] = [SECRET, {**SECRET, "config": config}, {**SECRET, "replicas": 2}]
    annotations = [Rendered(each).workload["spec"]["template"]["metadata"]["annotations"] for each in cases]
    assert len({each["checksum/config"] for each in annotations}) == 2


def test_files_are_mounted_where_they_are_named() -> None:
    made = Rendered({**SECRET, "builder": {"files": {"/etc/subuid": "user:1001:64535\n"}}})
    (mount,) = (each for each in made.daemon["volumeMounts"] if each["mountPath"] == "/etc/subuid")
    (configured,) = made["ConfigMap"]
    assert configured["data"][mount["subPath"]] == "user:1001:64535\n"
