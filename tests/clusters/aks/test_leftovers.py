from __future__ import annotations

import pytest

from clusters import tags
from clusters.aks.provider import AksProvider
from clusters.provider import ClusterSpec
from tests.clusters.aks.azure import Azure, Fault, error, group

PAST, FUTURE = "2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"


def bearing(cluster: str, expires: str, *, name: str | None = None) -> dict[str, dict[str, object]]:
    called = name or f"build-conformance-{cluster}"
    marks = {tags.CLUSTER: cluster, tags.RUN: "r9", tags.OWNER: "ci", tags.EXPIRES: expires}
    return {called: group(called, tags=marks)}


def test_what_has_expired_may_be_removed_and_what_has_not_is_only_told(azure: Azure, provider: AksProvider) -> None:
    azure.groups = {**bearing("old", PAST), **bearing("young", FUTURE), **bearing("copied", PAST, name="elsewhere")}
    azure.groups["unrelated"] = group("unrelated")
    found = {each.what.split()[2]: each.name for each in provider.find_leftovers()}
    assert found == {"build-conformance-old": "old", "build-conformance-young": None}
    provider.delete("old")
    assert set(azure.groups) == {"build-conformance-young", "elsewhere", "unrelated"}


def test_a_leased_cluster_is_no_leftover(azure: Azure, provider: AksProvider, spec: ClusterSpec) -> None:
    provider.create(spec, lambda _: None)
    assert len(azure.groups) == 2
    assert provider.find_leftovers() == ()


def test_a_nodes_group_without_its_cluster_is_a_leftover(azure: Azure, provider: AksProvider) -> None:
    azure.groups["build-conformance-lost-nodes"] = group("build-conformance-lost-nodes")
    assert [each.name for each in provider.find_leftovers()] == ["lost"]


def test_that_azure_could_not_be_asked_is_told_and_stops_nobody(azure: Azure, provider: AksProvider) -> None:
    azure.faults = [Fault(title="GET resourcegroups", answer=error(403, "AuthorizationFailed", "no"), times=99)]
    (only,) = provider.find_leftovers()
    assert only.name is None
    assert "Contributor" in only.what


@pytest.mark.usefixtures("no_credentials")
def test_where_azure_is_not_set_up_nothing_is_looked_for(provider: AksProvider) -> None:
    assert provider.find_leftovers() == ()
