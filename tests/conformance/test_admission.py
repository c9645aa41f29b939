"""What a server says is reported as what it is, and nothing is left behind."""

from __future__ import annotations

import signal
from typing import cast

import pytest

from conformance import admission, namespace
from conformance.admission import Answer, Refuser, Verdict
from conformance.errors import ApiError, UsageError
from conformance.kube import Answer as Reply
from conformance.kube import Json, Kube
from conformance.model import Level
from conformance.workloads import Workload
from tests.conformance.apiserver import Server, pod_security, refusal


def workload(name: str = "app", *containers: str, privileged: tuple[str, ...] = (), **spec: object) -> Workload:
    entries = [
        {"name": each, "image": "i", **({"securityContext": {"privileged": True}} if each in privileged else {})}
        for each in containers or ("c",)
    ]
    pod = {"metadata": {"name": name}, "spec": {"containers": entries, **spec}}
    return Workload(name=f"Pod/{name}", pod=pod)


def ask(
    server: Server, *workloads: Workload, levels: tuple[str, ...] = ("baseline",), said: list[str] | None = None
) -> tuple[Answer, ...]:
    told: list[str] = [] if said is None else said
    return admission.ask(
        cast("Kube", server), workloads, [Level.parse(each) for each in levels], run_id="admit-1", say=told.append
    )


def test_every_workload_is_asked_about_at_every_level() -> None:
    server = Server()
    answers = ask(server, workload("good"), workload("bad", privileged=("c",)), levels=("privileged", "baseline@v1.34"))
    assert [(each.workload, each.level, each.verdict) for each in answers] == [
        ("Pod/good", "privileged@latest", Verdict.ADMITTED),
        ("Pod/bad", "privileged@latest", Verdict.ADMITTED),
        ("Pod/good", "baseline@v1.34", Verdict.ADMITTED),
        ("Pod/bad", "baseline@v1.34", Verdict.REFUSED),
    ]


def test_the_namespace_has_the_levels_labels_and_is_gone_afterwards() -> None:
    server = Server()
    ask(server, workload(), levels=("baseline@v1.34", "restricted"))
    labels = [body["metadata"]["labels"] for body in server.ever]
    assert labels[0]["pod-security.kubernetes.io/enforce"] == "baseline"
    assert labels[0]["pod-security.kubernetes.io/enforce-version"] == "v1.34"
    assert labels[1]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert all(each[namespace.RUN_LABEL] == "admit-1" for each in labels)
    assert server.namespaces == {}


def test_a_refusal_names_containers_checks_and_fields() -> None:
    (answer,) = ask(Server(), workload("bad", "one", "two", "three", privileged=("one", "three")))
    assert answer.refused_by is Refuser.POD_SECURITY
    (violation,) = answer.violations
    assert violation.reason == "privileged"
    assert violation.containers == ("one", "three")
    assert violation.fields == ("securityContext.privileged",)
    assert answer.message.startswith("pods ")


def test_a_known_bad_pod_comes_first_wherever_something_is_enforced() -> None:
    server = Server()
    ask(server, workload(), levels=("privileged", "baseline", "restricted"))
    assert server.asked == [
        ("privileged", "app"),
        ("baseline", "known-bad"),
        ("baseline", "app"),
        ("restricted", "known-bad"),
        ("restricted", "app"),
    ]


def test_where_pod_security_is_not_in_force_nothing_is_called_admitted() -> None:
    server = Server(policy=lambda _pod, _level: None)
    with pytest.raises(ApiError, match="not in force: a privileged pod was admitted") as caught:
        ask(server, workload())
    assert caught.value.exit_code == 2
    assert server.namespaces == {}


def test_a_known_bad_pod_that_something_else_refuses_proves_nothing() -> None:
    server = Server(policy=lambda _pod, _level: 'admission webhook "other" denied the request: no')
    with pytest.raises(ApiError, match="cannot be shown that Pod Security Admission is in force"):
        ask(server, workload())
    assert server.namespaces == {}


def test_a_runtime_class_that_is_spared_is_exempt_not_admitted() -> None:
    def policy(pod: Json, level: str) -> str | None:
        return None if pod["spec"].get("runtimeClassName") == "kata" else pod_security(pod, level)

    spared, checked = ask(
        Server(policy), workload("a", runtimeClassName="kata"), workload("b", runtimeClassName="runc")
    )
    assert spared.verdict is Verdict.EXEMPT
    assert "runtime class kata" in spared.notes[-1]
    assert checked.verdict is Verdict.ADMITTED


@pytest.mark.parametrize(
    ("status", "message", "refused_by", "class_"),
    [
        (422, 'Pod "p" is invalid: spec.containers: Required value', Refuser.VALIDATION, None),
        (400, 'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal', Refuser.VALIDATION, None),
        (
            422,
            'Pod "p" is invalid: spec.containers[0].securityContext: `hostUsers` must be false to use `Unmasked`',
            Refuser.VALIDATION,
            "procmount-needs-hostusers-false",
        ),
        (
            403,
            'pods "p" is forbidden: exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0',
            Refuser.QUOTA,
            "resource-quota-exceeded",
        ),
        (
            403,
            'pods "p" is forbidden: failed quota: q: must specify cpu for: app',
            Refuser.QUOTA,
            "resource-quota-unset-limits",
        ),
        (
            403,
            'pods "p" is forbidden: maximum cpu usage per Container is 1, but limit is 2',
            Refuser.LIMIT_RANGE,
            "limitrange-violation",
        ),
        (
            403,
            'admission webhook "kyverno" denied the request: It violates PodSecurity "baseline:latest": privileged (c)',
            Refuser.POLICY,
            "admission-webhook-denied",
        ),
        (
            422,
            "pods \"p\" is forbidden: ValidatingAdmissionPolicy 'demo' with binding 'b' denied request: no",
            Refuser.POLICY,
            "admission-webhook-denied",
        ),
        (403, 'pods "p" is forbidden: pod rejected: RuntimeClass "gvisor" not found', Refuser.OTHER, None),
    ],
)
def test_other_refusals_are_named_as_what_they_are(
    status: int, message: str, refused_by: Refuser, class_: str | None
) -> None:
    server = Server()
    server.errors["app"] = ApiError(message, status=status)
    (answer,) = ask(server, workload())
    assert answer.verdict is Verdict.REFUSED
    assert (answer.refused_by, answer.failure_class) == (refused_by, class_)
    assert answer.violations == ()
    assert answer.message == message


def test_pod_security_as_a_webhook_is_pod_security() -> None:
    server = Server()
    text = refusal("baseline", 'privileged (container "c" must not set securityContext.privileged=true)')
    server.errors["app"] = ApiError(
        f'admission webhook "pod-security-webhook.kubernetes.io" denied the request: {text}', status=403
    )
    (answer,) = ask(server, workload())
    assert answer.refused_by is Refuser.POD_SECURITY
    assert answer.violations[0].containers == ("c",)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (None, "the API server did not answer"),
        (401, "Unauthorized"),
        (403, 'pods is forbidden: User "eve" cannot create resource "pods" in API group "" in the namespace "n"'),
        (403, "unable to create new content in namespace n because it is being terminated"),
        (400, 'admission webhook "w" does not support dry run'),
        (429, "too many requests"),
        (500, 'Internal error occurred: failed calling webhook "w"'),
    ],
)
@pytest.mark.parametrize("pod", ["known-bad", "app"])
def test_an_answer_that_says_nothing_about_the_pod_is_an_error(status: int | None, message: str, pod: str) -> None:
    server = Server()
    server.errors[pod] = ApiError(message, status=status)
    with pytest.raises(ApiError, match="could not be asked about") as caught:
        ask(server, workload())
    assert message in str(caught.value)
    assert ("rights to create" in str(caught.value)) is (status == 403)
    assert server.namespaces == {}


def test_missing_rights_on_namespaces_are_told_with_what_is_needed() -> None:
    server = Server()
    server.errors["namespace"] = ApiError('namespaces is forbidden: User "eve" cannot create', status=403)
    server.cannot_delete = True
    said: list[str] = []
    with pytest.raises(ApiError, match="rights to create and delete namespaces"):
        ask(server, workload(), said=said)
    # What the server refused to create is not there.
    assert said == []


@pytest.mark.parametrize("status", [None, 503])
def test_a_namespace_whose_creation_got_no_answer_is_removed_all_the_same(status: int | None) -> None:
    server = Server()
    server.errors["namespace"] = ApiError("the API server did not answer", status=status)
    server.cannot_delete = True
    said: list[str] = []
    with pytest.raises(ApiError, match="did not answer"):
        ask(server, workload(), said=said)
    assert any("kubectl delete namespace" in line for line in said)


def test_warnings_and_what_the_server_dropped_are_kept() -> None:
    server = Server()
    asked = workload("app", "c", "d", hostUsers=False, hostNetwork=False, volumes=[], dnsPolicy="None")
    asked.pod["spec"]["containers"][1]["securityContext"] = {"procMount": "Unmasked", "runAsUser": 1}
    admitted = {
        "containers": [
            {"name": "injected", "image": "x"},
            {"name": "c", "image": "i", "extra": 1},
            {"name": "d", "image": "i", "securityContext": {"runAsUser": 1}},
        ],
        "dnsPolicy": "None",
    }
    server.replies["app"] = Reply(body={"spec": admitted}, warnings=('unknown field "spec.x"',))
    (answer,) = ask(server, asked)
    assert answer.verdict is Verdict.ADMITTED
    assert answer.warnings == ('unknown field "spec.x"',)
    assert answer.notes == (
        "the server dropped spec.containers[d].securityContext.procMount",
        "the server dropped spec.hostUsers",
    )


def test_an_interrupt_leaves_no_namespace() -> None:
    server = Server()
    server.errors["app"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        ask(server, workload())
    assert server.ever
    assert server.namespaces == {}


def test_an_interrupt_while_the_namespace_is_removed_waits() -> None:
    class Impatient(Server):
        def delete_namespace(self, name: str) -> None:
            signal.raise_signal(signal.SIGINT)
            super().delete_namespace(name)

    server = Impatient()
    ask(server, workload())
    assert server.namespaces == {}


def test_a_namespace_that_cannot_be_removed_is_named() -> None:
    server = Server()
    server.cannot_delete = True
    with pytest.raises(ApiError, match="kubectl delete namespace admit-baseline-"):
        ask(server, workload())


def test_the_first_error_is_raised_and_a_namespace_that_stays_is_said() -> None:
    server = Server()
    server.cannot_delete = True
    server.errors["app"] = ApiError("first", status=500)
    said: list[str] = []
    with pytest.raises(ApiError, match="first"):
        ask(server, workload(), said=said)
    assert any("kubectl delete namespace" in line for line in said)


@pytest.mark.parametrize("server", ["v1.35.4", "1.35", "v1.35.1+k3s1", "v1.35.3-eks-ac2d5a0"])
def test_a_policy_newer_than_the_server_is_refused(server: str) -> None:
    admission.check_versions([Level.parse("baseline@v1.35"), Level.parse("restricted")], server)
    with pytest.raises(UsageError, match=r"--psa baseline@v1\.36: .* silently use its own newest policy, v1\.35"):
        admission.check_versions([Level.parse("restricted"), Level.parse("baseline@v1.36")], server)
