from __future__ import annotations

import time

import pytest

from clusters import janitor, ledger, tags
from clusters.eks import aws as amazon
from clusters.eks import leftovers
from clusters.janitor import Fate
from tests.clusters.eks.conftest import Cloud
from tests.clusters.eks.wire import query_refusal


def test_what_a_lease_explains_is_no_leftover(one_connection: Cloud) -> None:
    cloud = one_connection
    cloud.create()
    assert cloud.provider.find_leftovers() == ()


def test_what_no_lease_explains_and_is_over_its_time_is_listed_with_all_its_parts_and_can_be_removed(
    one_connection: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud = one_connection
    monkeypatch.setattr(tags, "lifetime", lambda: -60.0)
    cloud.create()
    ledger.release("eks", cloud.name)
    (found,) = cloud.provider.find_leftovers()
    assert found.name == cloud.name
    named = (f"cluster bc-{cloud.name}", f"role bc-{cloud.name}-node")
    for part in (*named, "vpc vpc-", "subnet subnet-", "launch-template", "expired at 20"):
        assert part in found.what
    assert [each.fate for each in janitor.sweep({"eks": cloud.provider})] == [Fate.LEFT_ALONE]
    assert [each.fate for each in janitor.sweep({"eks": cloud.provider}, everything=True)] == [Fate.REMOVED]
    assert cloud.left() == frozenset()


def test_a_cluster_of_another_machine_whose_time_is_not_over_is_told_and_not_removed(
    one_connection: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud = one_connection
    monkeypatch.setenv("BUILD_CONFORMANCE_LIFETIME_MINUTES", "90")
    cloud.create()
    ledger.release("eks", cloud.name)
    there = cloud.left()
    assert [each.fate for each in janitor.sweep({"eks": cloud.provider}, everything=True)] == [Fate.LEFT_ALONE]
    assert cloud.left() == there
    for later, words, name in ((89, "may live until", None), (91, "expired at", cloud.name)):
        (found,) = leftovers.find(amazon.connect(), set(), now=time.time() + later * 60)
        assert words in found.what
        assert found.name == name


def test_an_account_that_may_not_be_asked_is_said_to_be_instead_of_empty(one_connection: Cloud) -> None:
    cloud = one_connection
    denied = query_refusal("UnauthorizedOperation", "no", status=403)
    cloud.wire.instead.append(lambda asked: denied if asked == "describe_vpcs" else None)
    (found,) = cloud.provider.find_leftovers()
    assert found.name is None
    assert "describe_vpcs (permission)" in found.what
