"""A scripted cluster: each look at the pods shows the next frame."""

from __future__ import annotations

from collections.abc import Callable

from conformance.kube import Json, Ran
from conformance.waiting import Timeouts

PATIENCE = Timeouts(admission=0.3, schedule=0.3, pull=0.3, start=0.3, ready=0.5, build=1, run_image=0.3, command=1)


class FakeKube:
    """Stands for the API server at the seam."""

    def __init__(self) -> None:
        self.frames: list[list[Json]] = [[]]
        self.sets: list[Json] = []
        self.said: list[Json] = []
        self.ran: list[list[str]] = []
        self.answers: list[Ran] = []
        self.created: list[Json] = []
        self.log = ""

    def pods(self, _namespace: str, *, labels: str = "") -> list[Json]:
        assert "conformance" in labels
        return self.frames.pop(0) if len(self.frames) > 1 else self.frames[0]

    def replica_sets(self, _namespace: str) -> list[Json]:
        return self.sets

    def events(self, _namespace: str) -> list[Json]:
        return self.said

    def pod(self, namespace: str, _name: str) -> Json | None:
        found = self.pods(namespace, labels="conformance")
        return found[0] if found else None

    def create_pod(self, _namespace: str, body: Json) -> None:
        self.created.append(body)

    def logs(self, *_: object, **__: object) -> str:
        return self.log

    def execute(
        self, _ns: str, _pod: str, container: str, argv: list[str], *, within: float, give_up: Callable[[], bool] = bool
    ) -> Ran:
        assert container in {"app", "registry"}
        assert within > 0
        self.ran.append(argv)
        if give_up():
            return Ran(code=None, output="cut off")
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def pod(*containers: Json, phase: str = "Running", node: str = "n", **status: object) -> Json:
    return {
        "metadata": {"name": "p", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"nodeName": node} if node else {},
        "status": {"phase": phase, "containerStatuses": list(containers), **status},
    }


def container(name: str, state: Json, *, restarts: int = 0, image: str = "sha256:i", **more: object) -> Json:
    return {"name": name, "state": state, "restartCount": restarts, "imageID": image, **more}


RUNNING: Json = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}


def waiting(reason: str, message: str = "") -> Json:
    return {"waiting": {"reason": reason, "message": message}}


def terminated(code: int) -> Json:
    return {"terminated": {"exitCode": code, "reason": "Error"}}


HEALTHY = pod(container("app", RUNNING), container("buildkitd", RUNNING))
DEAD = pod(container("app", RUNNING), container("buildkitd", terminated(1)))
