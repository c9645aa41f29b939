from __future__ import annotations

from typing import Any

import pytest

from clusters.eks import usable, waiters
from clusters.eks.pace import Pace
from clusters.eks.usable import Server
from tests.clusters.eks.apiserver import NODE

DNS = "/apis/apps/v1/namespaces/kube-system/deployments/coredns"
NODES = "/api/v1/nodes"


class Answers(Server):
    """An API server that answers with these objects, and with the last of them for ever."""

    def get(self, path: str) -> tuple[int, bytes]:  # noqa: ARG002 - everything is well
        return 200, b"ok"

    def read(self, path: str) -> Any:  # noqa: ANN401 - objects of Kubernetes
        left = OBJECTS.get(path, [{}])
        return left.pop(0) if len(left) > 1 else left[0]


OBJECTS: dict[str, list[Any]] = {}
SERVER = Answers(endpoint="", authority="", token=str, request=1)


@pytest.fixture(autouse=True)
def ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OBJECTS, NODES, [{"items": [NODE]}])
    monkeypatch.setitem(OBJECTS, DNS, [{"status": {"availableReplicas": 1}}])


def test_nodes_that_come_and_dns_that_starts_are_waited_for() -> None:
    unready = {"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}
    OBJECTS[NODES][:0] = [{}, {"items": []}, {"items": [unready]}]
    OBJECTS[DNS][:0] = [{}, {"status": {}}]
    facts = usable.wait(SERVER, nodes=1, pace=Pace(interval=0.001, usable=60))
    assert facts["kernel"] == "6.12.40"
    assert (len(OBJECTS[NODES]), len(OBJECTS[DNS])) == (1, 1)


@pytest.mark.parametrize(
    ("path", "answer", "said"),
    [
        (NODES, {"items": []}, "0 of 1 nodes are Ready"),
        (NODES, {}, "0 of 1 nodes are Ready"),
        (DNS, {"status": {"availableReplicas": 0}}, "CoreDNS has no replica that works"),
    ],
)
def test_what_is_missing_when_the_time_is_up_is_named(path: str, answer: object, said: str) -> None:
    OBJECTS[path][:] = [answer]
    with pytest.raises(waiters.AwsTooSlowError, match=said):
        usable.wait(SERVER, nodes=1, pace=Pace(interval=0.1, usable=2))
