from __future__ import annotations

from typing import Any, cast

from conformance import bounds, namespace
from conformance.kube import Json, Kube
from conformance.model import Level, PsaLevel


class Server:
    """Counts a quota's use only at the second look, as the real one does."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.quota: dict[str, Any] = {}

    def create_namespace(self, _: Json) -> None:
        self.calls.append("namespace")

    def create_limit_range(self, _: str, body: Json) -> None:
        self.calls.append("limits")
        assert body["spec"]["limits"][0]["default"]["memory"]

    def create_resource_quota(self, _: str, body: Json) -> None:
        self.calls.append("quota")
        self.quota = body

    def resource_quota(self, _: str, name: str) -> Json:
        self.calls.append("look")
        assert name == self.quota["metadata"]["name"]
        return self.quota if self.calls.count("look") == 1 else {**self.quota, "status": self.quota["spec"]}

    def service_account(self, _: str) -> Json:
        self.calls.append("account")
        return {"metadata": {}}


BODY = namespace.manifest("n", level=Level(psa=PsaLevel.BASELINE), run_id="r", cell_id="c")


def test_a_bounded_namespace_has_its_quota_counted_before_pods_come() -> None:
    server = Server()
    namespace.create(cast("Kube", server), BODY, bounded=True)
    assert server.calls == ["namespace", "limits", "quota", "look", "look", "account"]
    assert server.quota["spec"]["hard"]["services.loadbalancers"] == "0"


def test_a_namespace_of_a_cluster_of_ours_has_none() -> None:
    server = Server()
    namespace.create(cast("Kube", server), BODY)
    assert server.calls == ["namespace", "account"]


def test_every_bounded_resource_has_a_default_or_pods_would_be_refused() -> None:
    hard = bounds.BOUNDS.quota()["spec"]["hard"]
    [limits] = bounds.BOUNDS.limit_range()["spec"]["limits"]
    asked = {key.partition(".")[2] for key in hard if key.startswith("limits.")}
    assert asked == set(limits["default"])
    assert {"cpu", "memory"} <= set(limits["defaultRequest"])
