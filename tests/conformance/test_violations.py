"""Pod Security's sentences are taken apart as they were put together."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.violations import REASONS, Clause, Violation, parse

RECORDED = Path(__file__).parents[1] / "data" / "psa-refusals.jsonl"


def recorded() -> list[dict[str, object]]:
    return [json.loads(line) for line in RECORDED.read_text().splitlines()]


def violations_of(text: str) -> tuple[Violation, ...]:
    found = parse(text)
    assert found is not None
    return found.violations


def pairs(text: str) -> list[list[str]]:
    return [[each.reason, each.detail] for each in violations_of(text)]


def clauses(reason: str, detail: str) -> tuple[Clause, ...]:
    (only,) = violations_of(f'violates PodSecurity "restricted:latest": {reason} ({detail})')
    assert (only.reason, only.detail) == (reason, detail)
    return only.clauses


def test_every_recorded_refusal_is_taken_apart_as_the_evaluator_gave_it() -> None:
    for line in recorded():
        assert pairs(str(line["text"])) == line["violations"], line["from"]


def test_the_recording_has_every_reason_and_every_one_names_a_field() -> None:
    seen = {each.reason: each for line in recorded() for each in violations_of(str(line["text"]))}
    assert set(seen) == set(REASONS) - {"unknown forbidden reason"}
    for line in recorded():
        assert all(clause.fields for each in violations_of(str(line["text"])) for clause in each.clauses)


def test_level_version_and_whether_it_was_enforced_are_read() -> None:
    refused = parse('pods "p" is forbidden: violates PodSecurity "baseline:v1.34": privileged (container "c" must)')
    warned = parse('Warning: would violate PodSecurity "restricted:latest": privileged (container "c" must)')
    assert refused is not None
    assert warned is not None
    assert (refused.level, refused.version, refused.enforced) == ("baseline", "v1.34", True)
    assert (warned.level, warned.version, warned.enforced) == ("restricted", "latest", False)


@pytest.mark.parametrize(
    "text",
    ["", "all is well", 'namespaces "x" is forbidden', 'existing pods in namespace "n" violate the new PodSecurity'],
)
def test_a_text_without_a_refusal_is_none(text: str) -> None:
    assert parse(text) is None


def test_each_container_gets_its_own_demand() -> None:
    missing, added = clauses(
        "unrestricted capabilities",
        'container "app" must set securityContext.capabilities.drop=["ALL"]; containers "one", "two" must not include '
        '"CHOWN", "SYS_ADMIN" in securityContext.capabilities.add',
    )
    assert missing.containers == ("app",)
    assert missing.says == 'must set securityContext.capabilities.drop=["ALL"]'
    assert missing.fields == ("securityContext.capabilities.drop",)
    assert added.containers == ("one", "two")
    assert added.fields == ("securityContext.capabilities.add",)
    assert not missing.on_pod
    assert not missing.or_pod


def test_the_pod_and_its_containers_are_told_apart() -> None:
    (both,) = clauses(
        "seccompProfile", 'pod and containers "a", "b" must not set securityContext.seccompProfile.type to "X"'
    )
    (either,) = clauses("runAsNonRoot != true", 'pod or container "a" must set securityContext.runAsNonRoot=true')
    (pod,) = clauses("runAsUser=0", "pod must not set runAsUser=0")
    (host,) = clauses("host namespaces", "hostNetwork=true, hostPID=true")
    assert (both.on_pod, both.or_pod, both.containers) == (True, False, ("a", "b"))
    assert (either.on_pod, either.or_pod, either.containers) == (False, True, ("a",))
    assert (pod.on_pod, pod.containers, pod.fields) == (True, (), ("securityContext.runAsUser",))
    assert (host.on_pod, host.says, host.fields) == (True, "hostNetwork=true, hostPID=true", ("hostNetwork", "hostPID"))


def test_volumes_are_named() -> None:
    (clause,) = clauses("restricted volume types", 'volumes "a", "b" use restricted volume types "hostPath", "nfs"')
    assert clause.volumes == ("a", "b")
    assert clause.says == 'use restricted volume types "hostPath", "nfs"'
    assert not clause.on_pod


def test_selinux_options_stay_one_clause_with_the_fields_that_are_set() -> None:
    (clause,) = clauses(
        "seLinuxOptions",
        'pod and container "a" set forbidden securityContext.seLinuxOptions: type "spc_t"; user may not be set',
    )
    assert clause.containers == ("a",)
    assert clause.fields == ("securityContext.seLinuxOptions.type", "securityContext.seLinuxOptions.user")


def test_an_annotation_is_held_against_the_container_it_speaks_of() -> None:
    (clause,) = clauses(
        "forbidden AppArmor profile",
        "annotation must not set AppArmor profile type to "
        '"container.apparmor.security.beta.kubernetes.io/app="unconfined""',
    )
    assert clause.containers == ("app",)
    assert clause.fields == ("container.apparmor.security.beta.kubernetes.io/app",)
    (before,) = clauses("forbidden AppArmor profile", 'container.apparmor.security.beta.kubernetes.io/app="unconfined"')
    assert before.containers == ("app",)
    (seccomp,) = clauses(
        "seccompProfile",
        'forbidden annotations container.seccomp.security.alpha.kubernetes.io/app="x", '
        'seccomp.security.alpha.kubernetes.io/pod="y"',
    )
    assert seccomp.containers == ("app",)
    assert seccomp.on_pod


def test_a_refusal_inside_a_log_ends_where_it_ends() -> None:
    text = (
        'Error creating: pods "a" is forbidden: violates PodSecurity "baseline:latest": \n  privileged (container "c" '
        "must not set securityContext.privileged=true), \n  "
        'hostPort (container "c" uses hostPort 80)\' reason: Failed (x)'
    )
    assert [reason for reason, _ in pairs(text)] == ["privileged", "hostPort"]


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_refusal_quoted_in_json_reads_the_same(times: int) -> None:
    plain = text = str(next(each for each in recorded() if each["from"] == "several.yaml")["text"])
    for _ in range(times):
        text = json.dumps({"message": text})
    assert pairs(text) == pairs(plain)


def test_a_refusal_that_was_cut_off_keeps_what_is_there() -> None:
    assert pairs(
        'violates PodSecurity "baseline:latest": privileged (container "a" must), hostPort (container "b" us'
    ) == [
        ["privileged", 'container "a" must'],
        ["hostPort", 'container "b" us'],
    ]


def test_a_value_with_a_quote_is_cut_at_the_next_known_reason() -> None:
    assert pairs(
        'violates PodSecurity "baseline:latest": seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: '
        'type "a"b"), seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")'
    ) == [
        ["seLinuxOptions", 'pod set forbidden securityContext.seLinuxOptions: type "a"b"'],
        ["seccompProfile", 'pod must not set securityContext.seccompProfile.type to "Unconfined"'],
    ]


def test_reasons_of_later_versions_are_understood() -> None:
    assert pairs(
        'violates PodSecurity "baseline:v1.99": shared air (container "a" breathes), unknown forbidden reason'
    ) == [
        ["shared air", 'container "a" breathes'],
        ["unknown forbidden reason", ""],
    ]


NAMES = st.lists(
    st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True), min_size=1, max_size=4, unique=True
)
#: Anything but what makes the text ambiguous, and white space, which is made plain.
VALUES = st.text(st.characters(codec="utf-8", exclude_characters='"\\\0', exclude_categories=("Z", "C")), max_size=30)


@st.composite
def details(draw: st.DrawFn) -> str:
    """Return a detail as policy/check_*.go makes them, with values of anybody's."""
    names = draw(NAMES)
    subject = f"{'container' if len(names) == 1 else 'containers'} {joined(names)}"
    subject = draw(st.sampled_from(["", "pod and ", "pod or "])) + subject
    return f"{subject} must not include {joined(draw(st.lists(VALUES, min_size=1, max_size=3)))} in somewhere"


def joined(values: list[str]) -> str:
    return '"' + '", "'.join(values) + '"'


@given(st.lists(st.tuples(st.sampled_from(REASONS), details()), min_size=1, max_size=8))
def test_whatever_values_hold_the_parts_come_back(parts: list[tuple[str, str]]) -> None:
    text = ", ".join(f"{reason} ({detail})" for reason, detail in parts)
    found = violations_of(f'pods "p" is forbidden: violates PodSecurity "baseline:v1.35": {text}')
    assert [(each.reason, each.detail) for each in found] == parts


@given(NAMES, VALUES)
def test_whatever_values_hold_the_containers_are_named(names: list[str], value: str) -> None:
    (only,) = violations_of(
        f'violates PodSecurity "baseline:latest": non-default capabilities (containers {joined(names)} must not '
        f"include {joined([value])} in securityContext.capabilities.add)"
    )
    assert only.containers == tuple(names)
    assert only.fields[-1] == "securityContext.capabilities.add"


@given(st.text(st.sampled_from('"\\(), ;=\n\0aprivleg:podcontainer'), max_size=300))
def test_no_text_breaks_it(noise: str) -> None:
    found = violations_of(f'violates PodSecurity "baseline:latest": {noise}')
    assert all(each.reason for each in found)


@pytest.mark.parametrize(
    "unit", ['a ("', "a (", 'privileged ("x"), ', " ", "a" + " " * 9, '="', "\\", "), privileged", "; pod "]
)
def test_a_huge_text_keeps_its_level(unit: str) -> None:
    refusal = parse('violates PodSecurity "baseline:latest": ' + unit * (200_000 // len(unit)))
    assert refusal is not None
    assert refusal.level == "baseline"
