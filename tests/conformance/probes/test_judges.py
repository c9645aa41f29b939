from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.model import HOLDS, Facts
from conformance.probes import PROBES
from tests.conformance.probes.facts import BAD, GOOD


@pytest.mark.parametrize("name", PROBES)
def test_a_probe_that_sees_nothing_wrong_holds(name: str) -> None:
    finding = PROBES[name].judge(GOOD[name])
    assert finding.found == HOLDS
    assert finding.evidence


@pytest.mark.parametrize(("name", "changes", "expected"), BAD)
def test_a_probe_that_sees_something_wrong_names_it(name: str, changes: Facts, expected: str) -> None:
    finding = PROBES[name].judge({**GOOD[name], **changes})
    assert finding.found == expected
    # What decided is cited, so that a reader need not believe the name.
    cited = {piece.text.partition(" = ")[0] for piece in finding.evidence}
    assert cited & set(changes)


@pytest.mark.parametrize("name", PROBES)
def test_every_finding_of_a_probe_can_be_found_and_no_other(name: str) -> None:
    assert {expected for probe, _, expected in BAD if probe == name} == set(PROBES[name].findings)


@st.composite
def facts_of(draw: st.DrawFn, name: str) -> Facts:
    drawn: Facts = {}
    for key, value in GOOD[name].items():
        match value:
            case bool():
                drawn[key] = draw(st.booleans())
            case int():
                drawn[key] = draw(st.integers(min_value=0, max_value=300))
            case _:
                drawn[key] = draw(st.sampled_from([value, "", "something else"]))
    return drawn


@given(data=st.data(), name=st.sampled_from(sorted(PROBES)))
def test_whatever_is_seen_a_probe_says_holds_or_one_of_its_findings_with_evidence(
    data: st.DataObject, name: str
) -> None:
    seen = data.draw(facts_of(name))
    finding = PROBES[name].judge(seen)
    assert finding.found in {HOLDS, *PROBES[name].findings}
    assert finding.evidence
    assert finding == PROBES[name].judge(dict(reversed(seen.items())))


@pytest.mark.parametrize(
    ("name", "free"),
    [("cache", {"fresh_built", "fresh_stamped", "exported_stamped", "imported_built", "imported_stamped"})],
)
def test_no_single_yes_or_no_of_the_cache_can_be_wrong_unseen(name: str, free: set[str]) -> None:
    """The named ones follow from others: a stamp is kept only where both builds made one."""
    for key, value in GOOD[name].items():
        if isinstance(value, bool) and key not in free:
            assert PROBES[name].judge({**GOOD[name], key: not value}).found != HOLDS, key


@pytest.mark.parametrize("name", ["ownership", "secrets", "isolation", "kill", "concurrency", "oci-tar"])
def test_no_single_yes_or_no_can_be_wrong_unseen(name: str) -> None:
    for key, value in GOOD[name].items():
        # A step that survived is a green one.
        if isinstance(value, bool) and (name, key) != ("kill", "built"):
            assert PROBES[name].judge({**GOOD[name], key: not value}).found != HOLDS, key


def test_a_git_tool_without_secrets_is_judged_by_the_forms_it_can_build() -> None:
    seen = {key: value for key, value in GOOD["git-forms"].items() if not key.startswith(("private", "sub", "anon"))}
    seen |= {key: value for key, value in GOOD["git-forms"].items() if key.startswith("subdir")}
    assert PROBES["git-forms"].judge(seen).found == HOLDS
