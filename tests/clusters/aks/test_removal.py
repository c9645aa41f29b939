from __future__ import annotations

import dataclasses
from threading import Event

import pytest

from clusters import interrupts, ledger, tags
from clusters.aks.provider import AksProvider
from clusters.errors import ClustersError, UnavailableError
from clusters.provider import ClusterSpec
from tests.clusters.aks.azure import Azure, Fault, error, group
from tests.clusters.aks.conftest import NAME, QUICK

GROUP = f"build-conformance-{NAME}"
NODES = f"{GROUP}-nodes"


@pytest.fixture
def made(azure: Azure, provider: AksProvider, spec: ClusterSpec) -> Azure:
    provider.create(spec, lambda _: None)
    return azure


def test_one_call_deletes_everything(made: Azure, provider: AksProvider) -> None:
    made.calls.clear()
    provider.delete(NAME)
    assert made.is_empty
    assert made.changes == ["DELETE group"]


def test_deleting_again_finds_nothing_to_do(made: Azure, provider: AksProvider) -> None:
    provider.delete(NAME)
    made.calls.clear()
    provider.delete(NAME)
    assert made.changes == []


def test_a_deletion_that_meets_another_operation_is_tried_again(made: Azure, provider: AksProvider) -> None:
    conflict = error(409, "Conflict", "a nested operation is running")
    made.faults = [Fault(title="DELETE group", answer=conflict, times=3)]
    provider.delete(NAME)
    assert made.is_empty


def test_a_deletion_that_nobody_waits_for_goes_on_and_is_waited_for_later(made: Azure, provider: AksProvider) -> None:
    with pytest.raises(KeyboardInterrupt):
        give_up_when("GET operation", made)
    assert ledger.find("aks", NAME) is not None
    assert GROUP in made.groups
    made.calls.clear()
    provider.delete(NAME)
    assert made.is_empty
    assert made.changes == []


def give_up_when(title: str, azure: Azure) -> None:
    """Delete, and give up the waiting at a call, as Ctrl-C does."""
    given_up = Event()
    azure.on_call = lambda seen: given_up.set() if seen == title else None
    # So slow that it is surely given up before it is over.
    slow = AksProvider(dataclasses.replace(QUICK, poll=1))
    with interrupts.given_up_by(given_up):
        slow.delete(NAME)


def test_a_lock_is_told_at_once(made: Azure, provider: AksProvider) -> None:
    locked = error(409, "ScopeLocked", "The scope cannot perform delete operation because it is locked.")
    made.faults = [Fault(title="DELETE group", answer=locked, times=99)]
    with pytest.raises(ClustersError, match="az lock list"):
        provider.delete(NAME)
    assert made.faults[0].times == 98
    assert ledger.find("aks", NAME) is not None


def test_a_deletion_that_never_ends_says_what_azure_said(made: Azure) -> None:
    made.faults = [Fault(title="DELETE group", answer=error(409, "Conflict", "still busy"), times=10**6)]
    impatient = AksProvider(dataclasses.replace(QUICK, removal=0.3))
    with pytest.raises(ClustersError, match=r"still there after 0\.3 s(.|\n)*still busy(.|\n)*janitor"):
        impatient.delete(NAME)
    assert ledger.find("aks", NAME) is not None


def test_a_nodes_group_that_its_cluster_left_goes_too(azure: Azure, provider: AksProvider) -> None:
    azure.groups[NODES] = group(NODES, managed_by=f"/subscriptions/s/resourcegroups/{GROUP}/providers/x")
    provider.delete(NAME)
    assert azure.is_empty


@pytest.mark.parametrize(
    ("name", "found"),
    [
        (GROUP, group(GROUP)),
        (GROUP, group(GROUP, tags={tags.CLUSTER: "another"})),
        (NODES, group(NODES, managed_by="/subscriptions/s/resourceGroups/another/providers/x")),
    ],
    ids=["no tags", "another's tags", "another's nodes"],
)
def test_what_is_not_ours_is_never_deleted(
    azure: Azure, provider: AksProvider, name: str, found: dict[str, str]
) -> None:
    azure.groups[name] = found
    with pytest.raises(ClustersError, match="az group delete"):
        provider.delete(NAME)
    assert name in azure.groups
    assert azure.changes == []


def test_a_cluster_is_deleted_where_it_was_made(
    made: Azure, provider: AksProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_SUBSCRIPTION_ID", "00000000-0000-0000-0000-000000000043")
    monkeypatch.delenv("BUILD_CONFORMANCE_AZURE_ENDPOINT")
    provider.delete(NAME)
    assert made.is_empty


def test_without_a_sign_in_a_lease_stays(made: Azure, provider: AksProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_FEDERATED_TOKEN_FILE")
    with pytest.raises(UnavailableError, match="az login"):
        provider.delete(NAME)
    assert made.groups
    assert ledger.find("aks", NAME) is not None
