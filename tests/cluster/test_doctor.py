"""A real daemon behind mutual TLS is found well, and each gate fails by its name when it is broken on purpose."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from clusters.provider import Cluster, ImageRole
from conformance import namespace
from conformance.commands.doctor import doctor_command
from conformance.kube import Kube
from conformance.model import Level, PsaLevel
from conformance.waiting import poll
from tests.cluster import installation
from tests.cluster.installation import CERTS, Authority

pytestmark = pytest.mark.cluster

RIGHTS = Path("docs/how-to/doctor-rights.yaml")
TLS = ("--tls-ca", f"{CERTS}/ca.crt", "--tls-cert", f"{CERTS}/tls.crt", "--tls-key", f"{CERTS}/tls.key")
POOL = "example.com/pool"
LIMIT = 90.0

Json = dict[str, Any]


class Site:
    """Two namespaces of a cluster: the daemons', and the clients'."""

    def __init__(self, cluster: Cluster, kube: Kube) -> None:
        self.cluster = cluster
        self.kube = kube
        run = secrets.token_hex(4)
        self.builders, self.runners = f"doctor-builders-{run}", f"doctor-runners-{run}"
        self.run_id = f"doctor-{run}"

    def image(self, role: ImageRole) -> str:
        return self.cluster.images[role].reference

    def add_namespace(self, name: str, level: PsaLevel) -> None:
        namespace.create(
            self.kube, namespace.manifest(name, level=Level(psa=level), run_id=self.run_id, cell_id="doctor")
        )

    def install(self) -> None:
        ours, others = Authority("ours"), Authority("others")
        host = f"buildkitd.{self.builders}.svc.cluster.local"
        server = ours.issue("server", host, "late.example.com")
        late = ours.issue("late", "late.example.com", days=-1)
        mine, theirs, expired = ours.issue("client"), others.issue("client"), ours.issue("client", days=-1)
        odd = {"other-ca.crt": others.certificate, "other.crt": theirs[0], "other.key": theirs[1]}
        odd |= {"expired.crt": expired[0], "expired.key": expired[1]}
        rootful, app = self.image(ImageRole.BUILDKIT_ROOTFUL), self.image(ImageRole.APP)
        kit = installation
        kit.create(
            self.kube,
            self.builders,
            kit.secret("server-tls", kit.triple(ours, server)),
            kit.secret("late-tls", kit.triple(ours, late)),
            kit.daemon("buildkitd", rootful, tls="server-tls"),
            kit.daemon("plain", rootful, tls=None),
            kit.daemon("late", rootful, tls="late-tls"),
            kit.deployment("deaf", kit.sleeper(app)),
            *(kit.service(name) for name in ("buildkitd", "plain", "late", "deaf")),
        )
        kit.create(
            self.kube,
            self.runners,
            kit.secret("client-tls", {**kit.triple(ours, mine), **odd}),
            kit.client("runner", app, tls="client-tls"),
            kit.client("bare", self.image(ImageRole.FIXTURES), tls="client-tls"),
        )
        poll(self._is_up, within=LIMIT, what="the installation")

    def _is_up(self) -> bool | None:
        pods = [*self.kube.pods(self.builders), *self.kube.pods(self.runners)]
        ready = [each for pod in pods for each in pod["status"].get("conditions", []) if each["type"] == "Ready"]
        return True if len(pods) == 6 and all(each["status"] == "True" for each in ready) and len(ready) == 6 else None

    def examine(self, *words: str, service: str = "buildkitd", kubeconfig: Path | None = None) -> tuple[int, Json]:
        """Return how the command ended, and the diagnosis."""
        where = ("--namespace", self.builders, "--service", service, "--format", "json")
        asked = ("--kubeconfig", str(kubeconfig or self.cluster.kubeconfig), *where, *words)
        result = CliRunner().invoke(doctor_command, asked)
        assert result.exit_code in {0, 1, 2}, (result.output, result.exception)
        assert result.stdout, result.exception
        return result.exit_code, json.loads(result.stdout)

    def from_client(self, *words: str, service: str = "buildkitd", **options: Any) -> tuple[int, Json]:  # noqa: ANN401
        client = ("--client-namespace", self.runners, "--client", "runner")
        return self.examine(*client, *words, service=service, **options)


def outcomes(diagnosis: Json) -> dict[str, str]:
    return {each["gate"]: each["outcome"] for each in diagnosis["gates"]}


def gate(diagnosis: Json, name: str) -> Json:
    found: Json = next(each for each in diagnosis["gates"] if each["gate"] == name)
    return found


@pytest.fixture(scope="module")
def site(cluster: Cluster) -> Iterator[Site]:
    with Kube(cluster.kubeconfig, user_agent="test") as kube:
        made = Site(cluster, kube)
        made.add_namespace(made.builders, PsaLevel.PRIVILEGED)
        made.add_namespace(made.runners, PsaLevel.PRIVILEGED)
        try:
            made.install()
            yield made
        finally:
            kube.delete_namespace(made.builders)
            kube.delete_namespace(made.runners)


def test_a_good_installation_passes_every_gate(site: Site) -> None:
    code, seen = site.from_client(*TLS, "--platform", "linux/amd64")
    assert (code, seen["first_failed"]) == (0, None), seen
    assert set(outcomes(seen).values()) == {"passed"}
    notes = gate(seen, "mtls")["notes"]
    assert any("the daemon's certificate" in note and "server-tls, tls.crt" in note for note in notes)
    assert any("the client's certificate" in note and "client-tls, tls.crt" in note for note in notes)


def test_without_a_client_nothing_is_called_proven_that_needs_one(site: Site) -> None:
    code, seen = site.examine()
    assert code == 2
    assert outcomes(seen) == {
        "rendered": "passed",
        "endpoints": "passed",
        "reachable": "unproven",
        "mtls": "unproven",
        "platforms": "unproven",
        "scheduling": "passed",
    }


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--tls-ca", f"{CERTS}/other-ca.crt", *TLS[2:]), "mtls-untrusted-ca"),
        ((*TLS[:2], "--tls-cert", f"{CERTS}/other.crt", "--tls-key", f"{CERTS}/other.key"), "mtls-bad-certificate"),
        (
            (*TLS[:2], "--tls-cert", f"{CERTS}/expired.crt", "--tls-key", f"{CERTS}/expired.key"),
            "mtls-client-cert-expired",
        ),
        ((*TLS, "--tls-server-name", "wrong.example.com"), "mtls-server-name-mismatch"),
    ],
)
def test_a_client_with_the_wrong_certificates_fails_mtls(site: Site, words: tuple[str, ...], expected: str) -> None:
    code, seen = site.from_client(*words)
    assert (code, seen["first_failed"]) == (1, "mtls"), seen
    report = gate(seen, "mtls")
    # A refusal names its reason only now and then: where it never did, nothing is claimed.
    assert expected in {report["failure_class"], *report["candidates"]}
    assert outcomes(seen)["platforms"] == "not-reached"


def test_a_certificate_that_has_expired_is_read_from_its_secret(site: Site) -> None:
    code, seen = site.from_client(*TLS, "--tls-server-name", "late.example.com", service="late")
    assert (code, seen["first_failed"]) == (1, "mtls")
    assert gate(seen, "mtls")["failure_class"] == "mtls-server-cert-expired"
    assert "late-tls, tls.crt" in gate(seen, "mtls")["says"]


@pytest.mark.parametrize("words", [(), TLS])
def test_a_daemon_that_answers_plaintext_fails_mtls(site: Site, words: tuple[str, ...]) -> None:
    code, seen = site.from_client(*words, service="plain")
    assert (code, seen["first_failed"]) == (1, "mtls"), seen
    assert gate(seen, "mtls")["failure_class"] == "buildkitd-no-authentication"


def test_a_client_that_speaks_plaintext_to_a_safe_daemon_proves_nothing_more(site: Site) -> None:
    code, seen = site.from_client()
    assert code == 2, seen
    assert (outcomes(seen)["mtls"], outcomes(seen)["platforms"]) == ("unproven", "unproven")


def test_a_port_on_which_nobody_listens_fails_reachable(site: Site) -> None:
    code, seen = site.from_client(*TLS, service="deaf")
    assert (code, seen["first_failed"]) == (1, "reachable"), seen
    assert gate(seen, "reachable")["failure_class"] == "buildkitd-conn-refused"


def test_a_client_without_buildctl_is_told_and_not_held_against_the_daemon(site: Site) -> None:
    _, seen = site.examine("--client-namespace", site.runners, "--client", "bare", *TLS)
    assert outcomes(seen)["reachable"] == "unproven", seen
    assert "buildctl" in gate(seen, "reachable")["says"]


def test_a_platform_that_no_worker_has_fails_platforms(site: Site) -> None:
    code, seen = site.from_client(*TLS, "--platform", "linux/amd64", "--platform", "linux/s390x")
    assert (code, seen["first_failed"]) == (1, "platforms"), seen
    assert "linux/s390x" in gate(seen, "platforms")["says"]


def test_pods_that_are_not_pinned_to_their_pool_fail_scheduling(site: Site) -> None:
    code, seen = site.from_client(*TLS, "--pool", "kubernetes.io/os=linux")
    assert (code, seen["first_failed"]) == (1, "scheduling"), seen
    assert "not pinned" in gate(seen, "scheduling")["says"]


def test_a_workload_that_pod_security_refuses_fails_rendered(site: Site) -> None:
    name = f"{site.builders}-strict"
    site.add_namespace(name, PsaLevel.RESTRICTED)
    try:
        image = site.image(ImageRole.BUILDKIT_ROOTFUL)
        installation.create(
            site.kube, name, installation.daemon("buildkitd", image, tls=None), installation.service("buildkitd")
        )
        strict = ("--namespace", name)
        refused = poll(
            lambda: seen if (seen := site.examine(*strict)[1])["first_failed"] == "rendered" else None,
            within=LIMIT,
            what="the refusal",
        )
        assert gate(refused, "rendered")["failure_class"] == "psa-restricted-violation", refused
    finally:
        site.kube.delete_namespace(name)


def test_with_the_documented_rights_and_no_others_every_gate_passes(site: Site, tmp_path: Path) -> None:
    text = RIGHTS.read_text().replace("namespace: buildkit", f"namespace: {site.builders}")
    text = text.replace("namespace: runners", f"namespace: {site.runners}").replace("build-doctor", site.run_id)
    bodies = list(yaml.safe_load_all(text))
    for body in bodies:
        installation.create(site.kube, body["metadata"].get("namespace", ""), body)
    account = f"/api/v1/namespaces/{site.builders}/serviceaccounts/{site.run_id}"
    token = site.kube._call("POST", f"{account}/token", {"spec": {}}).body["status"]["token"]
    config = yaml.safe_load(site.cluster.kubeconfig.read_text())
    config["users"] = [{"name": config["users"][0]["name"], "user": {"token": token}}]
    mine = tmp_path / "kubeconfig"
    mine.write_text(yaml.safe_dump(config))
    try:
        code, seen = site.from_client(*TLS, "--platform", "linux/amd64", kubeconfig=mine)
        assert code == 0, seen
        assert any("get secrets in namespace" in note for note in gate(seen, "mtls")["notes"])
        rbac = "/apis/rbac.authorization.k8s.io/v1"
        site.kube._call("DELETE", f"{rbac}/clusterrolebindings/{site.run_id}")
        site.kube._call("DELETE", f"{rbac}/namespaces/{site.runners}/rolebindings/{site.run_id}-client")
        code, seen = site.examine(
            "--client-namespace", site.runners, "--client", "runner/runner", *TLS, kubeconfig=mine
        )
        assert code == 2, seen
        assert gate(seen, "reachable")["missing_rights"][0].endswith(f"pods/exec in namespace {site.runners}")
        assert gate(seen, "scheduling")["missing_rights"] == ["list nodes"]
    finally:
        for body in bodies:
            if body["kind"].startswith("Cluster"):
                path = f"{installation.path_of(body, '')}/{body['metadata']['name']}"
                site.kube._call_if_there("DELETE", path)


def test_a_selector_that_leads_nowhere_fails_scheduling(site: Site) -> None:
    template = site.kube.fetch(f"/apis/apps/v1/namespaces/{site.builders}/deployments/buildkitd")
    assert template is not None
    pod = template["spec"]["template"]
    lost = {**pod, "spec": {**pod["spec"], "nodeSelector": {POOL: "nowhere"}}}
    installation.change(site.kube, site.builders, "buildkitd", template=lost)
    try:
        failed = poll(
            lambda: seen if (seen := site.from_client(*TLS)[1])["first_failed"] == "scheduling" else None,
            within=LIMIT,
            what="a pod that waits",
        )
        report = gate(failed, "scheduling")
        assert report["failure_class"] == "scheduling-taint-or-selector"
        assert any(f"{POOL}=nowhere" in line for line in report["evidence"])
    finally:
        installation.change(site.kube, site.builders, "buildkitd", template=pod)


def test_a_daemon_scaled_to_0_fails_endpoints(site: Site) -> None:
    installation.change(site.kube, site.builders, "buildkitd", replicas=0)
    try:
        failed = poll(
            lambda: seen if (seen := site.from_client(*TLS)[1])["first_failed"] == "endpoints" else None,
            within=LIMIT,
            what="no endpoint",
        )
        report = gate(failed, "endpoints")
        assert "Deployment/buildkitd is scaled to 0" in report["says"]
        assert report["failure_class"] == "buildkitd-conn-refused"
        assert outcomes(failed)["reachable"] == "not-reached"
    finally:
        installation.change(site.kube, site.builders, "buildkitd", replicas=1)
