"""Admission, schedule, pull, start and ready, each against pods as the API shows them."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import pytest

from conformance.errors import WaitError
from conformance.kube import Ran
from conformance.model import ConnectionFacts, PolicyFacts, TlsFacts
from conformance.stages import CellRun, StageFailedError, admission, pull, ready, schedule, start
from tests.conformance.stages.scripted import (
    DEAD,
    HEALTHY,
    PATIENCE,
    RUNNING,
    FakeKube,
    container,
    pod,
    terminated,
    waiting,
)

LISTED = Ran(code=0, output="ID\tPLATFORMS\nabc\tlinux/amd64\n")
REFUSED = Ran(code=1, output="error: no such file or directory\n")


def test_admission_passes_once_a_pod_exists(kube: FakeKube, cell_run: CellRun) -> None:
    kube.frames = [[], [], [HEALTHY]]
    assert "p" in admission.run(cell_run)


def test_admission_fails_with_the_replica_sets_words(kube: FakeKube, cell_run: CellRun) -> None:
    condition = {
        "type": "ReplicaFailure",
        "status": "True",
        "reason": "FailedCreate",
        "message": "violates PodSecurity",
    }
    kube.sets = [{"metadata": {"name": "r"}, "status": {"conditions": [condition]}}]
    with pytest.raises(StageFailedError, match="FailedCreate: violates PodSecurity"):
        admission.run(cell_run)


def test_admission_fails_with_the_event_of_a_stateful_set_which_has_no_condition(
    kube: FakeKube, cell_run: CellRun
) -> None:
    about = {"kind": "StatefulSet", "name": "buildkitd"}
    claim = {
        "involvedObject": about,
        "reason": "FailedCreate",
        "message": "Create Claim state-0 Pod b-0 failed error: quota",
    }
    refused = {"involvedObject": about, "reason": "FailedCreate", "message": "Create Pod b-0 failed error: PodSecurity"}
    kube.said = [claim]
    with pytest.raises(WaitError):
        admission.run(cell_run)
    kube.said = [claim, refused]
    with pytest.raises(StageFailedError, match="FailedCreate: Create Pod b-0 failed error: PodSecurity"):
        admission.run(cell_run)


def test_admission_without_any_answer_is_no_refusal(cell_run: CellRun) -> None:
    with pytest.raises(WaitError):
        admission.run(cell_run)


def test_schedule_says_what_the_scheduler_said_last(kube: FakeKube, cell_run: CellRun) -> None:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes: cpu"}
    kube.frames = [[pod(node="", conditions=[condition])]]
    with pytest.raises(StageFailedError, match="Unschedulable: 0/1 nodes: cpu"):
        schedule.run(cell_run)


def test_schedule_names_the_node(kube: FakeKube, cell_run: CellRun) -> None:
    kube.frames = [[pod(node="")], [pod(node="worker")]]
    assert schedule.run(cell_run) == "on node worker"


@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"])
def test_pull_fails_at_once_for_each_reason_of_the_image_manager(
    kube: FakeKube, cell_run: CellRun, reason: str
) -> None:
    kube.frames = [[pod(container("buildkitd", waiting(reason, "not found"), image=""))]]
    with pytest.raises(StageFailedError, match=f"buildkitd: {reason}: not found"):
        pull.run(cell_run)


def test_pull_waits_while_an_image_is_on_its_way(kube: FakeKube, cell_run: CellRun) -> None:
    coming = pod(container("buildkitd", waiting("ContainerCreating"), image=""))
    kube.frames = [[coming], [HEALTHY]]
    assert pull.run(cell_run) == "images present"


def test_pull_leaves_other_refusals_to_the_next_stage(kube: FakeKube, cell_run: CellRun) -> None:
    refused = pod(container("buildkitd", waiting("CreateContainerError", "seccomp profile missing"), image=""))
    kube.frames = [[refused]]
    assert pull.run(cell_run)
    with pytest.raises(StageFailedError, match="CreateContainerError: seccomp profile missing"):
        start.run(cell_run)


@pytest.mark.parametrize("stage", [pull, start])
def test_a_pod_that_the_kubelet_rejects_is_seen_although_its_successor_is_newer(
    kube: FakeKube, cell_run: CellRun, stage: ModuleType
) -> None:
    rejected = pod(phase="Failed", reason="AppArmor", message="Cannot enforce AppArmor")
    fresh = pod(phase="Pending")
    fresh["metadata"] = {"name": "q", "creationTimestamp": "2026-01-01T00:00:01Z"}
    kube.frames = [[fresh, rejected]]
    with pytest.raises(StageFailedError, match="pod failed: AppArmor: Cannot enforce AppArmor"):
        stage.run(cell_run)


def test_start_leaves_a_daemon_that_died_to_the_next_stage(kube: FakeKube, cell_run: CellRun) -> None:
    looping = pod(container("app", RUNNING), container("buildkitd", waiting("CrashLoopBackOff"), restarts=1))
    for frame in (DEAD, looping):
        kube.frames = [[frame]]
        assert start.run(cell_run)


def test_start_fails_when_an_init_container_failed(kube: FakeKube, cell_run: CellRun) -> None:
    init = container("volumes-init", terminated(1))
    kube.frames = [[pod(container("app", waiting("PodInitializing")), initContainerStatuses=[init])]]
    with pytest.raises(StageFailedError, match="volumes-init ended with 1"):
        start.run(cell_run)


def test_ready_passes_when_the_daemon_lists_a_worker(kube: FakeKube, cell_run: CellRun) -> None:
    kube.frames, kube.answers = [[HEALTHY]], [REFUSED, LISTED]
    assert ready.run(cell_run)
    assert kube.ran[0] == ["buildctl", "debug", "workers"]


def test_ready_is_not_satisfied_by_an_empty_list(kube: FakeKube, cell_run: CellRun) -> None:
    kube.frames, kube.answers = [[HEALTHY]], [Ran(code=0, output="ID\tPLATFORMS\n")]
    with pytest.raises(StageFailedError, match="the builder was not usable"):
        ready.run(cell_run)


def test_ready_ends_at_once_when_a_dead_daemon_has_said_why(kube: FakeKube, cell_run: CellRun) -> None:
    kube.frames, kube.answers = [[DEAD]], [REFUSED]
    cell_run.decided = lambda: True
    with pytest.raises(StageFailedError, match="buildkitd ended with 1"):
        ready.run(cell_run)
    assert kube.ran == []


def test_ready_ends_at_once_when_facts_say_that_no_later_answer_will_be_another(
    kube: FakeKube, cell_run: CellRun
) -> None:
    kube.frames, kube.answers = [[HEALTHY]], [Ran(code=1, output="error: broken pipe\n")]
    cell_run.connection = ConnectionFacts(
        tls=TlsFacts(checked="now", server_name="d"), policy=PolicyFacts(enforced=False)
    )
    cell_run.decided = lambda: cell_run.answer == "error: broken pipe\n"
    with pytest.raises(StageFailedError, match=r"^error: broken pipe$"):
        ready.run(cell_run)
    assert [each.file for each in cell_run.sources] == [ready.FILE]


def test_ready_asks_a_daemon_behind_a_service_only_once_it_is_ready(kube: FakeKube, cell_run: CellRun) -> None:
    client = container("app", RUNNING)
    unready, ok = (pod(client, container("buildkitd", RUNNING, ready=each)) for each in (False, True))
    cell_run.client_namespace, cell_run.client_labels = "elsewhere", "conformance=client"
    cell_run.timeouts = replace(PATIENCE, dial=0.1)
    # Each look at the builder's pod is followed by one at the client's.
    kube.frames, kube.answers = [[unready], [unready], [unready], [unready], [ok]], [LISTED]
    assert ready.run(cell_run)
    assert kube.frames == [[ok]]


def test_ready_asks_a_daemon_that_never_gets_ready_all_the_same(kube: FakeKube, cell_run: CellRun) -> None:
    cell_run.client_namespace, cell_run.client_labels = "elsewhere", "conformance=client"
    cell_run.timeouts = replace(PATIENCE, dial=0.2)
    kube.frames, kube.answers = [[HEALTHY]], [LISTED]
    assert ready.run(cell_run)


def test_ready_gives_an_undecided_death_the_time_to_recover(kube: FakeKube, cell_run: CellRun) -> None:
    kube.frames, kube.answers = [[DEAD], [DEAD], [HEALTHY]], [REFUSED, LISTED]
    assert ready.run(cell_run)
