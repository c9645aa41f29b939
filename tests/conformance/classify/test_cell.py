"""A cell as a whole: green or not, remarks, and whether waiting any longer is of use."""

from __future__ import annotations

import pytest

from conformance.classify import classify, decided_early
from conformance.model import (
    BuilderFacts,
    Prediction,
    SourceKind,
    Stage,
    StageReport,
    StageStatus,
)
from tests.conformance.classify.observations import BUILDER, container, ended, observation, pod, source, stages

CLONE = "[rootlesskit:parent] error: failed to start the child: fork/exec /proc/self/exe: operation not permitted"
OWN, HOST = "0 524288 65536\n", "0 0 4294967295\n"
REFUSED = 'pods "p" is forbidden: violates PodSecurity "baseline:v1.35": privileged (container "c" must not set it)'
POD = {"spec": {"hostUsers": False, "containers": [{"name": BUILDER}]}}
WITHOUT = {"spec": {"containers": [{"name": BUILDER}]}}


def test_a_cell_that_passed_builds() -> None:
    finding = classify(observation(None, source("auto snapshotter: overlayfs is not available for /x")))
    assert finding.builds
    assert (finding.class_, finding.evidence, finding.remarks) == (None, (), ())


def test_stages_that_could_not_run_are_not_held_against_it() -> None:
    reports = [*stages(None)[:-1], StageReport(stage=Stage.RUN_IMAGE, status=StageStatus.NOT_RUN, seconds=0)]
    assert classify(observation(None, stages=tuple(reports))).builds


@pytest.mark.parametrize(
    ("state", "class_"),
    [
        (pod(container(restarts=1, last_terminated=ended(255, "OOMKilled"))), "oom-killed"),
        (pod(phase="Failed", reason="Evicted", message="Usage of EmptyDir volume exceeds the limit"), "pod-evicted"),
    ],
)
def test_state_after_the_build_contradicts_a_green_one(state: object, class_: str) -> None:
    finding = classify(observation(None, pods=(state,)))
    assert not finding.builds
    assert finding.class_ == class_
    assert finding.stage is None
    assert any("every stage passed" in remark for remark in finding.remarks)


def test_a_restart_after_the_build_contradicts_a_green_one() -> None:
    restarted = pod(container(restarts=2, last_terminated=ended(1)))
    finding = classify(observation(None, source(CLONE), pods=(restarted,)))
    assert not finding.builds
    assert finding.class_ == "rootlesskit-clone-eperm"
    assert f"every stage passed, but container {BUILDER} was restarted 2 times" in finding.remarks


def test_a_restart_of_another_container_does_not() -> None:
    assert classify(observation(None, pods=(pod(container("client", restarts=3)),))).builds


@pytest.mark.parametrize(
    ("admitted", "failed", "said"),
    [
        (True, Stage.ADMISSION, "the dry run was admitted, but the live pod was refused"),
        (False, Stage.READY, "the dry run was refused (because), but the live pod was admitted"),
        (True, Stage.READY, None),
        (False, Stage.ADMISSION, None),
    ],
)
def test_the_prediction_and_the_live_pod_are_compared(failed: Stage, said: str | None, *, admitted: bool) -> None:
    message = "" if admitted else "because\nand more"
    finding = classify(observation(failed, source(CLONE), prediction=Prediction(admitted=admitted, message=message)))
    assert finding.remarks == ((said,) if said else ())


def test_a_user_namespace_that_was_dropped_is_remarked_and_counts_as_a_fact() -> None:
    finding = classify(
        observation(
            Stage.READY,
            source("can't enable NoProcessSandbox without Rootless"),
            rendered_pod=POD,
            admitted_pod=WITHOUT,
            builder_facts=BuilderFacts(uid_map=HOST),
        )
    )
    assert finding.class_ == "executor-no-process-sandbox-gate"
    assert finding.decisive
    assert finding.remarks == (
        "hostUsers: false was asked for and the server dropped it: the pod has no user namespace of its own",
    )


def test_a_user_namespace_that_was_admitted_and_is_not_there_is_remarked() -> None:
    finding = classify(observation(None, rendered_pod=POD, admitted_pod=POD, builder_facts=BuilderFacts(uid_map=HOST)))
    assert finding.builds
    assert finding.remarks == (
        "hostUsers: false was admitted, but /proc/self/uid_map shows no user namespace in force",
    )


def test_a_user_namespace_in_force_is_not_remarked() -> None:
    facts = BuilderFacts(uid_map=OWN)
    assert classify(observation(None, rendered_pod=POD, admitted_pod=POD, builder_facts=facts)).remarks == ()


def test_a_daemon_open_to_anyone_is_remarked_though_the_build_works() -> None:
    said = 'level=warning msg="TLS is not enabled for tcp://0.0.0.0:1234. enabling mutual TLS is recommended"'
    finding = classify(observation(None, source(said, file="logs/buildkitd.log")))
    assert finding.builds
    assert [remark.split(":")[0] for remark in finding.remarks] == ["buildkitd-no-authentication"]
    assert "logs/buildkitd.log:1" in finding.remarks[0]


def test_every_violation_of_a_refusal_is_in_the_detail() -> None:
    text = (
        'pods "p" is forbidden: violates PodSecurity "restricted:v1.35": allowPrivilegeEscalation != false '
        '(container "c" must set securityContext.allowPrivilegeEscalation=false), seccompProfile (pod or container "c" '
        'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")'
    )
    finding = classify(observation(Stage.ADMISSION, source(text, SourceKind.API, stage=Stage.ADMISSION)))
    assert finding.class_ == "psa-restricted-violation"
    assert finding.detail == (
        'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false); '
        'seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or '
        '"Localhost")'
    )


@pytest.mark.parametrize(
    ("text", "kind", "class_"),
    [
        (
            "the API server did not answer: HTTPSConnectionPool: Max retries exceeded",
            SourceKind.API,
            "api-server-unreachable",
        ),
        (
            '#6 ERROR: failed to push r/x: failed to do request: Head "http://r/v2/": dial tcp: connection refused',
            SourceKind.BUILD,
            "registry-conn-refused",
        ),
        (
            '#6 ERROR: failed to push r:5000/x: failed to do request: Head "http://r:5000/v2/": dial tcp: i/o timeout',
            SourceKind.BUILD,
            "registry-conn-refused",
        ),
        ("write /home/user/.local/share/buildkit/x: no space left on device", SourceKind.DAEMON, "disk-full"),
    ],
)
def test_broken_infrastructure_is_never_held_against_the_builder(text: str, kind: SourceKind, class_: str) -> None:
    finding = classify(observation(Stage.PUSH, source(text, kind)))
    assert finding.class_ == class_
    assert finding.kind is not None
    assert finding.kind.value == "I"


DEAD = pod(container(state="terminated", terminated=ended(1)))
RESTARTED = pod(container(restarts=1, last_terminated=ended(1)))
ALIVE = pod(container())


@pytest.mark.parametrize(
    ("state", "text", "early"),
    [
        (DEAD, CLONE, True),
        (RESTARTED, CLONE, True),
        (ALIVE, CLONE, False),
        (pod(container("client", state="terminated", terminated=ended(1)), container()), CLONE, False),
        (DEAD, "newuidmap: write to uid_map failed: Operation not permitted", True),
        # A symptom, a network that may come back, and what no rule knows: wait.
        (DEAD, "error reading from server: EOF", False),
        (DEAD, "lookup registry.example on 10.96.0.10:53: no such host", False),
        (DEAD, "nothing", False),
        # Perhaps the reason, perhaps a message on the way.
        (DEAD, "x509: certificate signed by unknown authority", False),
        (pod(container(state="terminated", terminated=ended(137, "OOMKilled"))), "", True),
    ],
)
def test_a_dead_builder_with_a_definite_cause_ends_a_stage_at_once(state: object, text: str, *, early: bool) -> None:
    assert decided_early(observation(Stage.READY, source(text), pods=(state,))) is early


def test_a_refused_pod_is_not_waited_for_by_this() -> None:
    assert not decided_early(observation(Stage.ADMISSION, source(REFUSED, SourceKind.API)))
