"""Every pod of a manifest is found, and nothing is passed over in silence."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from conformance import workloads
from conformance.errors import UsageError
from conformance.workloads import Found

SPEC = {"containers": [{"name": "c", "image": "i"}]}
TEMPLATE = {"metadata": {"labels": {"a": "b"}, "annotations": {"k": "v"}, "name": "ignored"}, "spec": SPEC}


def found(*objects: dict[str, Any]) -> Found:
    return workloads.find(objects, "file.yaml")


def workload(kind: str, *, template: dict[str, Any] = TEMPLATE, **about: object) -> dict[str, Any]:
    metadata = {"name": "app", **about}
    match kind:
        case "Pod":
            return {"kind": kind, "metadata": {**template["metadata"], **metadata}, "spec": template["spec"]}
        case "PodTemplate":
            return {"kind": kind, "metadata": metadata, "template": template}
        case "CronJob":
            return {"kind": kind, "metadata": metadata, "spec": {"jobTemplate": {"spec": {"template": template}}}}
        case _:
            return {"kind": kind, "metadata": metadata, "spec": {"replicas": 2, "template": template}}


def test_all_kinds_of_kubernetes_that_make_pods_are_known() -> None:
    assert set(workloads.KINDS) == {
        "CronJob",
        "DaemonSet",
        "Deployment",
        "Job",
        "Pod",
        "PodTemplate",
        "ReplicaSet",
        "ReplicationController",
        "StatefulSet",
    }


@pytest.mark.parametrize("kind", workloads.KINDS)
def test_every_kind_gives_its_pod_with_labels_annotations_and_the_workloads_name(kind: str) -> None:
    (only,) = found(workload(kind)).workloads
    assert only.name == f"{kind}/app"
    assert only.pod == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "app", "labels": {"a": "b"}, "annotations": {"k": "v"}},
        "spec": SPEC,
    }


def test_lists_are_opened_also_typed_ones_whose_items_do_not_say_what_they_are() -> None:
    pods = {"kind": "PodList", "items": [{"metadata": {"name": "bare"}, "spec": SPEC}]}
    several = {"kind": "List", "items": [workload("Job"), pods, {"kind": "Service"}]}
    assert [each.name for each in found(several).workloads] == ["Job/app", "Pod/bare"]


def test_what_a_server_would_refuse_in_another_namespace_is_left_out() -> None:
    exported = workload("Pod", namespace="shop", uid="u", resourceVersion="7", ownerReferences=[{}])
    (only,) = found({**exported, "status": {"phase": "Running"}}).workloads
    assert set(only.pod["metadata"]) == {"name", "labels", "annotations"}
    assert "status" not in only.pod


def test_names_of_objects_that_another_cluster_lacks_are_left_out_and_said() -> None:
    spec = {**SPEC, "serviceAccountName": "app", "serviceAccount": "app", "priorityClassName": "high", "priority": 7}
    (only,) = found(workload("Job", template={"metadata": {}, "spec": spec})).workloads
    assert only.pod["spec"] == SPEC
    assert only.notes == ("asked without serviceAccountName: app", "asked without priorityClassName: high")
    (default,) = found(
        workload("Job", template={"metadata": {}, "spec": {**SPEC, "serviceAccount": "default"}})
    ).workloads
    assert default.notes == ()


def test_the_runtime_class_stays_because_pod_security_may_spare_it() -> None:
    (only,) = found(workload("Job", template={"metadata": {}, "spec": {**SPEC, "runtimeClassName": "kata"}})).workloads
    assert only.runtime_class == "kata"
    assert only.pod["spec"]["runtimeClassName"] == "kata"


def test_a_helm_hook_says_that_it_is_one() -> None:
    (only,) = found(workload("Job", annotations={"helm.sh/hook": "test"})).workloads
    assert only.notes == ("helm hook: test",)


def test_a_pod_without_a_name_gets_one() -> None:
    (only,) = found({"kind": "Pod", "spec": SPEC}).workloads
    assert only.pod["metadata"] == {"generateName": "pod-"}
    assert only.name == "Pod"


@pytest.mark.parametrize("kind", workloads.KINDS)
@pytest.mark.parametrize("spec", [None, [], {}, {"template": 3}, {"jobTemplate": []}])
def test_a_workload_without_a_pod_template_is_asked_about_all_the_same(kind: str, spec: object) -> None:
    (only,) = found({"kind": kind, "metadata": {"name": "app"}, "spec": spec}).workloads
    assert "containers" not in only.pod["spec"]


def test_another_kind_with_a_pod_template_where_all_have_it_is_a_workload() -> None:
    assert [each.name for each in found(workload("Rollout")).workloads] == ["Rollout/app"]


def test_another_kind_with_containers_elsewhere_is_named() -> None:
    scaled = {"kind": "ScaledJob", "metadata": {"name": "s"}, "spec": {"jobTargetRef": {"template": {"spec": SPEC}}}}
    with pytest.raises(UsageError, match="ScaledJob/s"):
        found(scaled)
    assert found(workload("Pod"), scaled).not_understood == ("ScaledJob/s",)
    assert found(workload("Pod"), {"kind": "Prometheus", "spec": {"containers": [{"name": "x"}]}}).not_understood == ()


def test_a_file_without_a_pod_says_what_it_has() -> None:
    with pytest.raises(UsageError, match=r"file\.yaml: there is no pod in it. It has: Service/s, ConfigMap\."):
        found({"kind": "Service", "metadata": {"name": "s"}}, {"kind": "ConfigMap"})
    with pytest.raises(UsageError, match="It has: nothing"):
        found()


def test_yaml_of_several_documents_json_and_lists_of_json_are_read() -> None:
    assert workloads.parse("---\nkind: A\n---\n# nothing\n---\nkind: B\n", "f") == [{"kind": "A"}, {"kind": "B"}]
    assert workloads.parse(json.dumps({"kind": "A"}, indent="\t"), "f") == [{"kind": "A"}]
    assert workloads.parse('[{"kind": "A"}]', "f") == [{"kind": "A"}]
    assert workloads.parse("{kind: A}", "f") == [{"kind": "A"}]


def test_a_date_stays_a_text_and_keys_are_texts() -> None:
    (only,) = workloads.parse("kind: A\ndate: 2026-11-21\nlabels: {1: x}\nmode: 0444\n", "f")
    assert only == {"kind": "A", "date": "2026-11-21", "labels": {"1": "x"}, "mode": 0o444}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("kind: [", "neither YAML nor JSON"),
        ("kind: A\nx: !!python/object/apply:os.getcwd []", "neither YAML nor JSON"),
        ("kind: A\nx: !!set {a}", "neither YAML nor JSON"),
        ("kind: A\nx: .nan", "neither YAML nor JSON"),
        ("a: &a [*a]", "neither YAML nor JSON"),
        ("just words", "document 1 is no Kubernetes object but a str"),
        ("kind: A\n---\nname: b", "document 2 has no kind"),
        ('{"kind": 3}', "document 1 has no kind"),
    ],
)
def test_what_is_no_manifest_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=rf"^f: .*{why}"):
        workloads.parse(text, "f")


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["kind", "spec", "template", "items", "containers", "metadata", "name"]), inner
        )
    ),
    max_leaves=20,
)


@given(
    st.sampled_from([*workloads.KINDS, "List", "PodList", "Foo"]),
    st.dictionaries(st.sampled_from(["spec", "items"]), TREES),
)
def test_no_object_breaks_it(kind: str, rest: dict[str, Any]) -> None:
    try:
        several = found({**rest, "kind": kind}).workloads
    except UsageError:
        return
    assert all(isinstance(each.pod["spec"], dict) for each in several)


@given(st.text(max_size=80))
def test_no_text_breaks_it(text: str) -> None:
    with suppress(UsageError):
        workloads.parse(text, "f")


def test_what_was_written_as_yaml_comes_back() -> None:
    objects = [workload("Deployment"), workload("CronJob")]
    assert workloads.parse(yaml.safe_dump_all(objects), "f") == objects
