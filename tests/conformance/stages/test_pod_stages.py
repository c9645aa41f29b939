"""Admission, schedule, pull, start and ready, each against pods as the API shows them."""

from __future__ import annotations

from types import ModuleType

import pytest

from conformance.errors import WaitError
from conformance.kube import Ran
from conformance.stages import CellRun, StageFailedError, admission, pull, ready, schedule, start
from tests.conformance.stages.scripted import DEAD, HEALTHY, RUNNING, FakeKube, container, pod, terminated, waiting

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


def test_ready_gives_an_undecided_death_the_time_to_recover(kube: FakeKube, cell_run: CellRun) -> None:
    kube.frames, kube.answers = [[DEAD], [DEAD], [HEALTHY]], [REFUSED, LISTED]
    assert ready.run(cell_run)
