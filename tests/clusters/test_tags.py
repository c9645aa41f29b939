from __future__ import annotations

import re

import pytest

from clusters import tags
from clusters.errors import UsageError
from clusters.provider import ClusterSpec

SPEC = ClusterSpec(name="n", run_id="r", kubernetes="1.34")


def test_tags_say_whose_which_run_and_until_when(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(tags.OWNER_VARIABLE, "team-a@example.com")
    monkeypatch.setenv(tags.LIFETIME_VARIABLE, "90")
    assert tags.of(SPEC, now=1_700_000_000) == {
        "build-conformance-cluster": "n",
        "build-conformance-run": "r",
        "build-conformance-owner": "team-a@example.com",
        "build-conformance-expires": "2023-11-14T23:43:20Z",
    }


def test_keys_and_owners_hold_nothing_that_a_cloud_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(tags.OWNER_VARIABLE, "a/b<c>%&\\?ü" * 30)
    made = tags.of(SPEC, now=0)
    assert not re.search(r"[/<>%&\\?]", "".join(made))
    assert re.fullmatch(r"[A-Za-z0-9 _.:=+@-]{1,100}", made[tags.OWNER])


@pytest.mark.parametrize("value", ["0", "-5", "1.5", "soon", "999999"])
def test_a_lifetime_that_is_no_number_of_minutes_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(tags.LIFETIME_VARIABLE, value)
    with pytest.raises(UsageError, match="give whole minutes"):
        tags.lifetime()


def test_what_is_expired_is_told_by_its_tag_alone() -> None:
    made = tags.of(SPEC, now=1000)
    assert not tags.is_expired(made, now=1000 + tags.lifetime() - 1)
    assert tags.is_expired(made, now=1000 + tags.lifetime() + 1)
    assert not tags.is_expired({}, now=1e12)
    assert not tags.is_expired({tags.EXPIRES: "soon"}, now=1e12)
