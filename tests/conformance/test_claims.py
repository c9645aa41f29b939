from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusters.provider import SECCOMP_PROFILES
from conformance import claims
from conformance.claims import Resolution, Value, resolve
from conformance.errors import UsageError
from conformance.model import Claim, NodeFacts
from tests.conformance.records import cell, claim

OFF: dict[str, Value] = {"seccomp_default": False, "apparmor": False}
FILE = """\
[[claims]]
builder = "rootless-unset"
levels = ["baseline"]
expect = "supported"
source = "seen"
date = "2026-11-21"

[[claims]]
builder = "rootless-unset"
levels = ["restricted"]
expect = "psa-restricted-violation"
source = "seen"
date = "2026-11-21"
conditions = { seccomp_default = false }
"""


def expected(found: Resolution) -> str | None:
    return found.claim.expect if found.claim is not None else None


def test_claims_are_read_with_their_place(tmp_path: Path) -> None:
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims" / "a.toml").write_text(FILE)
    read = claims.load(tmp_path)
    assert [one.expect for one in read] == ["supported", "psa-restricted-violation"]
    assert [one.origin for one in read] == [f"{tmp_path}/claims/a.toml:1", f"{tmp_path}/claims/a.toml:8"]
    assert read[1].conditions == {"seccomp_default": False}


def test_the_faults_of_all_claim_files_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "claims").mkdir()
    for name in ("a.toml", "b.toml"):
        (tmp_path / "claims" / name).write_text(FILE.replace("expect", "expects", 1))
    with pytest.raises(UsageError) as caught:
        claims.load(tmp_path)
    assert sum("did you mean 'expect'?" in fault for fault in caught.value.faults) == 2
    assert "origin" not in str(caught.value)


def test_a_claim_must_not_say_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims" / "a.toml").write_text(FILE + 'origin = "elsewhere"\n')
    with pytest.raises(UsageError, match=r"a\.toml:8: remove the key 'origin'"):
        claims.load(tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"builder": "rootless-restricted"},
        {"levels": ("restricted",)},
        {"provider": "kind"},
        {"kubernetes": ">=1.36"},
        {"policy": "<1.35"},
    ],
)
def test_a_claim_is_not_for_a_cell_it_does_not_select(changes: dict[str, Any]) -> None:
    assert expected(resolve([claim(**changes)], cell(), {})) is None


@pytest.mark.parametrize(
    "changes", [{"provider": "embedded"}, {"kubernetes": ">=1.33,<1.36"}, {"policy": ">=1.35"}, {"policy": "==1.35"}]
)
def test_a_claim_is_for_a_cell_it_selects(changes: dict[str, Any]) -> None:
    assert expected(resolve([claim(**changes)], cell(), {})) == "supported"


def test_latest_is_the_servers_own_policy() -> None:
    old = claim("psa-baseline-violation", policy="<1.35")
    assert expected(resolve([old], cell(kubernetes="1.34"), {})) == "psa-baseline-violation"
    assert expected(resolve([old], cell(kubernetes="1.35"), {})) is None
    assert expected(resolve([old], cell(level="baseline@v1.34"), {})) == "psa-baseline-violation"


def test_a_policy_newer_than_the_server_is_the_servers() -> None:
    assert claims.policy_minor(cell(level="baseline@v1.36", kubernetes="1.35")) == 35


def test_the_most_specific_claim_wins() -> None:
    general, special = claim("supported"), claim("rootlesskit-clone-eperm", conditions={"seccomp_default": True})
    assert expected(resolve([general, special], cell(), {"seccomp_default": True})) == "rootlesskit-clone-eperm"
    assert expected(resolve([general, special], cell(), {"seccomp_default": False})) == "supported"


def test_equally_specific_claims_that_disagree_are_an_error() -> None:
    one = claim("supported", provider="embedded")
    other = claim("rootlesskit-clone-eperm", kubernetes=">=1.30", origin="claims.toml:9")
    with pytest.raises(UsageError, match=r"claims\.toml:9: .* contradicts .*add a condition that tells them apart"):
        resolve([one, other], cell(), {})


def test_equally_specific_claims_that_agree_are_none() -> None:
    both = [claim("supported", conditions={name: False}) for name in OFF]
    assert expected(resolve(both, cell(), OFF)) == "supported"


def test_a_claim_whose_fact_is_unknown_is_not_applied_and_the_fact_is_named() -> None:
    found = resolve([claim(conditions=OFF)], cell(), {"apparmor": False})
    assert found.claim is None
    assert found.reason == "seccomp_default is not known, and the claim at claims.toml:1 depends on it"


def test_all_unknown_facts_are_named() -> None:
    assert "seccomp_default and apparmor are not known" in resolve([claim(conditions=OFF)], cell(), None).reason


def test_a_general_claim_does_not_stand_in_for_one_that_may_hold_and_says_otherwise() -> None:
    general, special = claim("supported"), claim("rootlesskit-clone-eperm", conditions={"seccomp_default": True})
    found = resolve([general, special], cell(), {})
    assert found.claim is None
    assert "seccomp_default is not known" in found.reason


def test_an_unknown_fact_does_not_matter_where_both_answers_are_the_same() -> None:
    general, special = claim("supported"), claim("supported", conditions={"seccomp_default": True})
    assert expected(resolve([general, special], cell(), {})) == "supported"


def test_an_unknown_fact_does_not_matter_where_a_known_one_rules_the_claim_out() -> None:
    general = claim("supported")
    special = claim("rootlesskit-clone-eperm", conditions={"seccomp_default": True, "apparmor": True})
    assert expected(resolve([general, special], cell(), {"apparmor": False})) == "supported"


def test_a_node_for_which_nothing_is_claimed_is_named() -> None:
    found = resolve([claim(conditions=OFF)], cell(), {"seccomp_default": False, "apparmor": True})
    assert found.reason == "no claim is made for a node with apparmor = true"


def test_a_cell_for_which_nothing_is_claimed_says_so() -> None:
    assert resolve([], cell(), OFF) == Resolution(claim=None, reason="no claim is made for this builder at this level")


def test_facts_that_list_what_was_seen_are_conditions_of_yes_or_no() -> None:
    everything = NodeFacts(seccomp_profiles=SECCOMP_PROFILES, emulators=("arm64",))
    assert claims.conditions_of(everything) == {"seccomp_profiles": True, "emulators": True}
    # One profile of two is not what a claim may rely on.
    some = NodeFacts(seccomp_profiles=SECCOMP_PROFILES[:1], emulators=())
    assert claims.conditions_of(some) == {"seccomp_profiles": False, "emulators": False}
    assert claims.conditions_of(NodeFacts()) == {}


def test_only_what_was_seen_of_a_node_is_a_condition() -> None:
    node = NodeFacts(seccomp_default=False, ids_per_pod=65536, kernel="6.1")
    assert claims.conditions_of(node) == {"seccomp_default": False, "ids_per_pod": 65536}


def test_every_condition_is_a_fact_of_the_node() -> None:
    assert set(claims.CONDITIONS) <= set(NodeFacts.model_fields)


def test_a_claim_describes_all_that_it_selects_by() -> None:
    one = claim(levels=("privileged", "baseline"), provider="kind", kubernetes=">=1.33", policy="<1.35", conditions=OFF)
    assert claims.describe(one) == (
        "rootless-unset at privileged, baseline (on kind, Kubernetes >=1.33, policy <1.35,"
        " seccomp_default = false, apparmor = false) -> supported"
    )


@given(
    table=st.lists(
        st.builds(
            lambda expect, conditions: claim(expect, conditions=conditions),
            st.sampled_from(["supported", "rootlesskit-clone-eperm"]),
            st.dictionaries(st.sampled_from(["seccomp_default", "apparmor"]), st.booleans()),
        ),
        max_size=5,
    ),
    facts=st.dictionaries(st.sampled_from(["seccomp_default", "apparmor"]), st.booleans()),
)
def test_learning_more_never_turns_one_answer_into_another(table: list[Claim], facts: dict[str, bool]) -> None:
    """What is claimed while a fact is unknown is claimed whatever the fact turns out to be."""
    try:
        before = expected(resolve(table, cell(), facts))
    except UsageError:
        return
    if before is None:
        return
    for name in {"seccomp_default", "apparmor"} - set(facts):
        for value in (False, True):
            assert expected(resolve(table, cell(), {**facts, name: value})) == before
