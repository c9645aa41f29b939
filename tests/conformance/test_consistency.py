from __future__ import annotations

from typing import Any

import pytest

from conformance.consistency import check
from conformance.errors import UsageError
from conformance.model import Claim
from tests.conformance.records import cell, claim

CLASSES = ("rootlesskit-clone-eperm", "psa-baseline-violation")
BUILDERS = ("rootless-unset", "rootless-restricted")


def told(*claims: Claim) -> tuple[str, ...]:
    try:
        check(
            claims,
            builders=BUILDERS,
            providers=("embedded", "kind"),
            classes=CLASSES,
            cells=[cell(), cell(kubernetes="1.34"), cell(level="restricted")],
        )
    except UsageError as error:
        return error.faults
    return ()


def test_good_claims_pass() -> None:
    assert told(claim(), claim("rootlesskit-clone-eperm", levels=("restricted",), provider="embedded")) == ()


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"builder": "rootless-unst"}, "unknown builder 'rootless-unst': did you mean 'rootless-unset'?"),
        ({"provider": "kin"}, "unknown provider 'kin': did you mean 'kind'?"),
        ({"expect": "rootlesskit-clone-eprm"}, "did you mean 'rootlesskit-clone-eperm'?"),
        (
            {"conditions": {"secomp_default": True}},
            "unknown condition 'secomp_default': did you mean 'seccomp_default'?",
        ),
        ({"conditions": {"seccomp_default": "no"}}, "the condition 'seccomp_default' is 'no': it must be a bool"),
        ({"conditions": {"ids_per_pod": True}}, "the condition 'ids_per_pod' is True: it must be a int"),
        ({"kubernetes": "1.33"}, "`kubernetes` is '1.33', which is no range"),
        ({"policy": "older"}, "`policy` is 'older', which is no range"),
        ({"levels": ()}, "`levels` is empty"),
        ({"date": "yesterday"}, "`date` is 'yesterday', which is no day"),
        ({"repeats": 3, "at_least": 4}, "`at_least` is 4, more than `repeats`, 3"),
    ],
)
def test_a_wrong_claim_is_refused_with_its_place(changes: dict[str, Any], fault: str) -> None:
    (said,) = told(claim().model_copy(update=changes))
    assert said.startswith("claims.toml:1: ")
    assert fault in said


def test_all_faults_are_told_at_once() -> None:
    wrong = claim("nonsense", builder="nobody", kubernetes="new")
    assert len(told(wrong, wrong)) == 6


@pytest.mark.parametrize("changes", [{"levels": ("privileged",)}, {"kubernetes": "<1.34"}, {"provider": "kind"}])
def test_a_claim_for_no_cell_is_refused(changes: dict[str, Any]) -> None:
    (said,) = told(claim(**changes))
    assert "is for no cell of any matrix" in said


def test_the_same_claim_twice_is_refused() -> None:
    (said,) = told(claim(), claim(origin="claims.toml:9"))
    assert said.startswith("claims.toml:9: ")
    assert "is already made at claims.toml:1" in said


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {}),
        ({"levels": ("baseline", "restricted")}, {}),
        ({"provider": "embedded"}, {"kubernetes": ">=1.34"}),
        ({"kubernetes": "<1.35"}, {"kubernetes": ">=1.34"}),
        ({"conditions": {"seccomp_default": True}}, {"conditions": {"apparmor": True}}),
    ],
)
def test_two_claims_for_the_same_cells_that_disagree_are_refused(one: dict[str, Any], other: dict[str, Any]) -> None:
    (said,) = told(claim("supported", **one), claim("rootlesskit-clone-eperm", **other))
    assert "contradicts" in said


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"levels": ("restricted",)}),
        ({}, {"provider": "embedded"}),
        ({"kubernetes": "<1.35"}, {"kubernetes": ">=1.35"}),
        ({"conditions": {"seccomp_default": True}}, {"conditions": {"seccomp_default": False}}),
    ],
)
def test_claims_that_something_tells_apart_are_kept(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert told(claim("supported", **one), claim("rootlesskit-clone-eperm", **other)) == ()


PROBES = {"kill": ("step-can-kill-daemon",)}


def told_of_probes(*claims: Claim) -> tuple[str, ...]:
    try:
        check(claims, builders=BUILDERS, providers=("embedded",), classes=CLASSES, cells=[cell()], probes=PROBES)
    except UsageError as error:
        return error.faults
    return ()


def test_a_claim_about_a_probe_expects_that_it_holds_or_what_it_finds() -> None:
    assert told_of_probes(claim(), claim("holds", probe="kill")) == ()
    assert told_of_probes(claim("step-can-kill-daemon", probe="kill")) == ()


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"probe": "kil", "expect": "holds"}, "unknown probe 'kil': did you mean 'kill'?"),
        (
            {"probe": "kill", "expect": "step-can-kil-daemon"},
            "probe kill: unknown finding 'step-can-kil-daemon': did you mean 'step-can-kill-daemon'?",
        ),
        ({"probe": "kill", "expect": "supported"}, "unknown finding 'supported'"),
        ({"expect": "holds"}, "unknown class 'holds'"),
        ({"probe": "kill", "expect": "holds", "repeats": 2}, "`repeats` and `at_least` are for claims about building"),
    ],
)
def test_a_wrong_claim_about_a_probe_is_refused_with_its_place(changes: dict[str, Any], fault: str) -> None:
    (said,) = told_of_probes(claim().model_copy(update=changes))
    assert said.startswith("claims.toml:1: ")
    assert fault in said


def test_claims_about_a_probe_contradict_each_other_and_not_those_about_building() -> None:
    (said,) = told_of_probes(claim("holds", probe="kill"), claim("step-can-kill-daemon", probe="kill"), claim())
    assert "rootless-unset, probe kill, at baseline -> step-can-kill-daemon contradicts" in said
