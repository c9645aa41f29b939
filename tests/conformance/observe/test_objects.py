from __future__ import annotations

from conformance.observe import objects


def test_a_crashed_container_keeps_both_of_its_lives() -> None:
    ended = {"exitCode": 255, "reason": "OOMKilled", "message": "killed\nby the kernel"}
    pod = {
        "metadata": {"name": "p"},
        "status": {
            "phase": "Running",
            "initContainerStatuses": [{"name": "i", "state": {"terminated": {"exitCode": 0}}}],
            "containerStatuses": [
                {
                    "name": "buildkitd",
                    "restartCount": 2,
                    "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}},
                    "lastState": {"terminated": ended},
                    "imageID": "sha256:abc",
                }
            ],
        },
    }
    status = objects.pod_status(pod)
    init, main = status.containers
    assert init.init
    assert not main.init
    assert (main.state, main.waiting_reason, main.restarts) == ("waiting", "CrashLoopBackOff", 2)
    assert main.terminated is None
    assert main.last_terminated is not None
    assert (main.last_terminated.exit_code, main.last_terminated.reason) == (255, "OOMKilled")
    lines = objects.status_lines([status], [])
    assert "last-terminated exit=255 OOMKilled: killed by the kernel" in lines


def test_a_pod_before_the_kubelet_reported_has_a_status() -> None:
    status = objects.pod_status({"metadata": {"name": "p"}, "status": {"phase": "Pending"}})
    assert status.phase == "Pending"
    assert status.containers == ()


def test_events_of_both_apis_are_read_onto_one_line() -> None:
    old = {
        "metadata": {"creationTimestamp": "1"},
        "type": "Warning",
        "reason": "FailedCreate",
        "message": "a\nb",
        "involvedObject": {"kind": "ReplicaSet", "name": "r"},
        "count": 3,
        "lastTimestamp": "2026-01-01T00:00:00Z",
    }
    new = {"metadata": {}, "reason": "X", "series": {"count": 7}, "eventTime": "2026-01-02T00:00:00Z"}
    assert objects.event_line(objects.event(old)) == ("2026-01-01T00:00:00Z Warning FailedCreate ReplicaSet/r x3: a b")
    assert objects.event(new).count == 7
    assert objects.event(new).last_seen == "2026-01-02T00:00:00Z"


def test_conditions_say_what_they_are_about() -> None:
    deployment = {
        "metadata": {"name": "app"},
        "status": {"conditions": [{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate"}]},
    }
    (condition,) = objects.conditions("Deployment", [deployment])
    assert (condition.about, condition.type, condition.reason) == ("Deployment/app", "ReplicaFailure", "FailedCreate")
