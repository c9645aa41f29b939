"""Every gate passes on an installation that is well, and fails by its name when its own thing is broken."""

from __future__ import annotations

import pytest

from conformance.classify import CLASSES
from conformance.doctor import GATES, Diagnosis, GateReport, Outcome, Pool, Tls
from conformance.kube import Ran
from tests.conformance.doctor.site import (
    APPS,
    ARGO,
    EOF,
    NS,
    PIPE,
    REQUIRED,
    SLICES,
    TLS,
    UNAVAILABLE,
    Buildctl,
    Site,
    plain,
    safe,
    said,
)


@pytest.fixture
def site() -> Site:
    return Site()


def failing(diagnosis: Diagnosis, name: str) -> GateReport:
    """Return the report of the gate that must be the first to fail; what follows was not reached."""
    assert diagnosis.first_failed == name, diagnosis.model_dump_json(indent=1)
    after = [each.outcome for each in diagnosis.gates][[gate.name for gate in GATES].index(name) + 1 :]
    assert set(after) <= {Outcome.NOT_REACHED}
    report = next(each for each in diagnosis.gates if each.gate == name)
    assert report.remedy
    assert report.failure_class is None or report.failure_class in CLASSES
    return report


def unproven(diagnosis: Diagnosis) -> dict[str, GateReport]:
    assert diagnosis.first_failed is None, diagnosis.model_dump_json(indent=1)
    return {each.gate: each for each in diagnosis.gates if each.outcome is Outcome.UNPROVEN}


def test_the_gates_stand_in_the_order_of_the_runbook() -> None:
    names = [gate.name for gate in GATES]
    assert names == ["rendered", "endpoints", "reachable", "mtls", "platforms", "scheduling"]


def test_all_gates_of_a_good_installation_pass(site: Site) -> None:
    diagnosis = site.examine()
    assert [each.outcome for each in diagnosis.gates] == [Outcome.PASSED] * len(GATES), diagnosis.model_dump_json()
    addresses = {argv[2] for argv in site.calls}
    assert addresses == {"tcp://kit.kit.svc:1234", "tcp://10.0.0.2:1234"}


def test_rendered_fails_without_the_service_and_guesses_the_name(site: Site) -> None:
    del site.objects[f"{NS}/services/kit"]
    site.service["metadata"]["name"] = "kits"
    assert "Did you mean 'kits'?" in failing(site.examine(), "rendered").remedy


def test_rendered_fails_where_nothing_makes_the_selected_pods(site: Site) -> None:
    site.service["spec"]["selector"] = {"app": "kut"}
    site.objects[f"{NS}/pods"] = []
    assert "app=kut" in failing(site.examine(), "rendered").says


def test_rendered_fails_when_pods_are_refused_and_says_by_what(site: Site) -> None:
    message = (
        'pods "kit" is forbidden: violates PodSecurity "baseline:latest": privileged (container "b" must not set x)'
    )
    site.workload["status"]["conditions"] = [
        {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}
    ]
    assert failing(site.examine(), "rendered").failure_class == "psa-baseline-violation"


def test_rendered_reads_the_refusal_of_a_statefulset_from_its_events(site: Site) -> None:
    site.objects[f"{APPS}/statefulsets"] = site.objects.pop(f"{APPS}/deployments")
    site.workload["status"]["replicas"] = 0
    site.objects[f"{NS}/events"] = [{"message": "pods is forbidden: exceeded quota: q, requested: pods=1"}]
    assert failing(site.examine(), "rendered").failure_class == "resource-quota-exceeded"


def test_rendered_says_of_a_stuck_rollout_why_its_pods_are_not_ready(site: Site) -> None:
    site.workload["status"]["conditions"] = [
        {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}
    ]
    make_sick(site, {"waiting": {"reason": "CrashLoopBackOff"}}, {"exitCode": 137, "reason": "OOMKilled"})
    assert failing(site.examine(), "rendered").failure_class == "oom-killed"


@pytest.mark.parametrize("owner", ["kit-app:apps/Deployment:kit/kit", "argo_kit-app:apps/Deployment:kit/kit"])
def test_rendered_fails_on_a_comparison_error_of_the_application_that_tracks_it(site: Site, owner: str) -> None:
    broken = {"status": {"conditions": [{"type": "ComparisonError", "message": "chart not found"}]}}
    site.objects[ARGO] = {}
    site.objects[f"{ARGO}/applications"] = [{"metadata": {"name": "kit-app", "namespace": "argo"}, **broken}]
    assert site.examine().first_failed is None, "the application of somebody else says nothing about this one"
    site.workload["metadata"]["annotations"] = {"argocd.argoproj.io/tracking-id": owner}
    assert "chart not found" in failing(site.examine(), "rendered").evidence[0]


def make_sick(site: Site, state: dict[str, object], last: dict[str, object] | None = None) -> None:
    site.pod["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
    status = site.pod["status"]["containerStatuses"][0]
    status |= {"ready": False, "restartCount": 3, "state": state, "lastState": {"terminated": last} if last else {}}


def test_endpoints_fails_when_scaled_to_0(site: Site) -> None:
    site.objects |= {f"{NS}/pods": [], SLICES: []}
    site.workload["spec"]["replicas"] = site.workload["status"]["replicas"] = 0
    report = failing(site.examine(), "endpoints")
    assert "Deployment/kit is scaled to 0" in report.says
    assert report.failure_class == "buildkitd-conn-refused"


def test_endpoints_fails_on_a_pod_that_is_not_ready_and_reads_its_log(site: Site) -> None:
    make_sick(site, {"waiting": {"reason": "CrashLoopBackOff"}}, {"exitCode": 1, "reason": "Error"})
    site.log = (
        "[rootlesskit:parent] error: failed to start the child: fork/exec /proc/self/exe: operation not permitted"
    )
    report = failing(site.examine(), "endpoints")
    assert report.failure_class == "rootlesskit-clone-eperm"
    assert any("CrashLoopBackOff" in line for line in report.evidence)


def test_endpoints_fails_on_a_port_that_the_service_does_not_have(site: Site) -> None:
    site.service["spec"]["ports"] = [{"name": "b", "port": 4321}]
    assert "no port 1234: it has 4321" in failing(site.examine(), "endpoints").says


def test_endpoints_that_are_not_ready_are_none(site: Site) -> None:
    site.slice["endpoints"][0]["conditions"]["ready"] = False
    assert "endpoints" in unproven(site.examine())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "transport: Error while dialing: dial tcp 10.0.0.1:1234: connect: connection refused",
            "buildkitd-conn-refused",
        ),
        ("transport: Error while dialing: dial tcp 10.0.0.1:1234: i/o timeout", "buildkitd-conn-timeout"),
    ],
)
def test_reachable_fails_with_the_symptoms_class(site: Site, text: str, expected: str) -> None:
    site.buildctl = lambda _: said(UNAVAILABLE.format(text))
    report = failing(site.examine(), "reachable")
    assert (report.failure_class, report.meaning) == (expected, CLASSES[expected].meaning)


def test_reachable_fails_when_no_answer_comes_in_time(site: Site) -> None:
    site.buildctl = lambda _: Ran(code=None, output="")
    assert failing(site.examine(), "reachable").failure_class == "buildkitd-conn-timeout"


def test_a_client_that_cannot_run_buildctl_proves_nothing(site: Site) -> None:
    site.buildctl = lambda _: Ran(code=None, output="", broken="it was closed before the command had ended")
    assert set(unproven(site.examine())) == {"reachable", "mtls", "platforms"}


def test_without_a_client_three_gates_say_how_to_prove_them(site: Site) -> None:
    found = unproven(site.examine(asked_from=False))
    assert set(found) == {"reachable", "mtls", "platforms"}
    assert all("--client" in each.remedy for each in found.values())


@pytest.mark.parametrize("tls", [None, TLS])
def test_mtls_fails_on_a_daemon_that_answers_plaintext(site: Site, tls: Tls | None) -> None:
    site.buildctl = plain
    assert failing(site.examine(tls=tls), "mtls").failure_class == "buildkitd-no-authentication"


def test_mtls_fails_on_one_replica_that_answers_plaintext_behind_a_service_that_does_not(site: Site) -> None:
    site.buildctl = lambda argv: plain(argv) if "10.0.0.2" in argv[2] else safe(argv)
    assert "Pod/kit-0" in failing(site.examine(), "mtls").says


def test_mtls_fails_on_a_daemon_that_asks_for_no_client_certificate(site: Site) -> None:
    site.buildctl = lambda argv: safe(argv) if "--tlscacert" not in argv else said("ok", 0)
    report = failing(site.examine(), "mtls")
    assert "asks for no client certificate" in report.says
    assert report.failure_class == "buildkitd-no-authentication"


def test_mtls_fails_on_a_client_that_trusts_another_ca(site: Site) -> None:
    text = "transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate signed by unknown authority"  # noqa: E501 - one line of buildctl
    site.buildctl = lambda argv: said(EOF if "--tlscacert" not in argv else UNAVAILABLE.format(text))
    assert failing(site.examine(), "mtls").failure_class == "mtls-untrusted-ca"


def test_a_broken_pipe_alone_names_no_class(site: Site) -> None:
    site.buildctl = lambda argv: said(EOF if "--tlscacert" not in argv else PIPE)
    report = failing(site.examine(), "mtls")
    assert report.failure_class is None
    assert {"mtls-bad-certificate", "mtls-client-cert-expired"} <= set(report.candidates)


def test_a_broken_pipe_is_asked_again_until_the_reason_is_named(site: Site) -> None:
    answers = iter([PIPE] * 4 + [UNAVAILABLE.format("remote error: tls: expired certificate")])
    site.buildctl = lambda argv: said(EOF if "--tlscacert" not in argv else next(answers))
    assert failing(site.examine(), "mtls").failure_class == "mtls-client-cert-expired"


def test_a_broken_pipe_without_a_certificate_is_a_refusal_where_a_certificate_makes_the_difference(site: Site) -> None:
    site.buildctl = lambda argv: said(PIPE) if safe(argv).output == REQUIRED else safe(argv)
    assert site.examine().first_failed is None
    assert not unproven(site.examine())
    calls = [argv for argv in site.calls if "--tlscert" in argv]
    assert len(calls) > len(safe_calls()), "it was asked once more with the certificate"


def safe_calls() -> list[list[str]]:
    """Return the calls with a certificate that a daemon which names its reasons is asked in two examinations."""
    other = Site()
    other.examine()
    other.examine()
    return [argv for argv in other.calls if "--tlscert" in argv]


def test_a_client_without_tls_files_does_not_prove_mutual_tls(site: Site) -> None:
    found = unproven(site.examine(tls=None))
    assert set(found) == {"mtls", "platforms"}
    assert "--tls-ca" in found["mtls"].remedy


def test_a_client_with_a_ca_alone_does_not_prove_that_anybody_gets_in(site: Site) -> None:
    assert "--tls-cert" in unproven(site.examine(tls=Tls(ca="/certs/ca.crt")))["mtls"].remedy


def lists(*platforms: str) -> Buildctl:
    return lambda argv: said(f"Platforms:\t{','.join(platforms)}\n", 0) if "--tlscert" in argv else safe(argv)


def test_platforms_fails_on_what_is_missing(site: Site) -> None:
    report = failing(site.examine(platforms=("linux/amd64", "linux/arm64")), "platforms")
    assert report.says.endswith("cannot build for linux/arm64")
    site.buildctl = lists("linux/amd64", "linux/arm64")
    assert site.examine(platforms=("linux/amd64", "linux/arm64")).first_failed is None


def test_platforms_fails_on_a_worker_without_any(site: Site) -> None:
    site.buildctl = lists()
    assert "no worker with a platform" in failing(site.examine(platforms=()), "platforms").says


def test_scheduling_fails_on_a_pod_that_waits_beside_one_that_serves(site: Site) -> None:
    why = "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector."
    waiting = {
        "metadata": {"name": "kit-1", "namespace": "kit"},
        "spec": {"nodeSelector": {"pool": "nowhere"}, "containers": []},
        "status": {
            "phase": "Pending",
            "conditions": [
                {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": why},
            ],
        },
    }
    site.objects[f"{NS}/pods"] = [site.pod, waiting]
    report = failing(site.examine(), "scheduling")
    assert report.failure_class == "scheduling-taint-or-selector"
    assert any("pool=nowhere" in line for line in report.evidence)


def test_scheduling_fails_on_a_pool_that_has_no_node(site: Site) -> None:
    assert (
        "no node has the label pool=none"
        in failing(site.examine(pool=Pool(label="pool", value="none")), "scheduling").says
    )


def test_scheduling_fails_on_pods_that_may_run_anywhere(site: Site) -> None:
    site.pod["spec"]["nodeSelector"] = {}
    assert "not pinned" in failing(site.examine(), "scheduling").says


def test_scheduling_fails_without_tolerations_for_the_pools_taints(site: Site) -> None:
    site.pod["spec"]["tolerations"] = []
    assert "only=:NoSchedule" in failing(site.examine(), "scheduling").evidence[0]


def test_scheduling_fails_on_a_pod_outside_the_pool_and_on_a_pool_that_is_cordoned(site: Site) -> None:
    site.pod["spec"]["nodeName"] = "n2"
    assert "Pod/kit-0 on n2" in failing(site.examine(), "scheduling").says
    site.pod["spec"]["nodeName"] = "n1"
    site.node["spec"]["unschedulable"] = True
    assert "open for pods" in failing(site.examine(), "scheduling").says


@pytest.mark.parametrize(
    ("path", "refusal", "right", "gates"),
    [
        ("/api/v1/nodes", 'list resource "nodes" in API group "" at the cluster scope', "list nodes", {"scheduling"}),
        (
            SLICES,
            'list resource "endpointslices" in API group "discovery.k8s.io" in the namespace "kit"',
            "list endpointslices.discovery.k8s.io in namespace kit",
            {"endpoints"},
        ),
        (
            "exec",
            'get resource "pods/exec" in API group "" in the namespace "runners"',
            "get pods/exec in namespace runners",
            {"reachable", "mtls", "platforms"},
        ),
    ],
)
def test_a_right_that_is_missing_is_named_and_the_other_gates_go_on(
    site: Site, path: str, refusal: str, right: str, gates: set[str]
) -> None:
    site.denied[path] = refusal
    found = unproven(site.examine())
    assert set(found) == gates
    assert all(each.missing_rights == (right,) for each in found.values())
