from __future__ import annotations

from typing import Any

import pytest

from conformance.chart import pod_template
from conformance.errors import HelmError


def _workload(name: str, *containers: str, kind: str = "Deployment") -> dict[str, Any]:
    template = {
        "metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}},
        "spec": {"containers": [{"name": container} for container in containers]},
    }
    return {"kind": kind, "metadata": {"name": name}, "spec": {"template": template}}


def test_pod_is_the_template_of_the_workload_that_builds() -> None:
    manifests: list[dict[str, Any]] = [
        {"kind": "ConfigMap", "data": {}},
        {"kind": "Service", "spec": None},
        _workload("web", "web"),
        _workload("builds", "app", "buildkitd", kind="StatefulSet"),
    ]
    assert pod_template(manifests, container="buildkitd") == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "builds", "labels": {"a": "b"}, "annotations": {"c": "d"}},
        "spec": {"containers": [{"name": "app"}, {"name": "buildkitd"}]},
    }


@pytest.mark.parametrize(("names", "says"), [((), "none"), (("one", "two"), "Deployment/one, Deployment/two")])
def test_no_builder_or_two_of_them_is_an_error(names: tuple[str, ...], says: str) -> None:
    with pytest.raises(HelmError, match=says):
        pod_template([_workload(name, "buildkitd") for name in names], container="buildkitd")
