"""Everything that can go wrong with each call. The calls are those of a run that was recorded: none is listed here."""

from __future__ import annotations

import dataclasses

import pytest

from clusters import ledger, paths
from clusters.aks.provider import AksProvider
from clusters.errors import ClustersError
from clusters.provider import ClusterSpec
from tests.clusters.aks.azure import Azure, Fault, error
from tests.clusters.aks.conftest import NAME, QUICK, World
from tests.clusters.aks.servers import Answer

#: More often than anybody tries.
ALWAYS = 1000

#: What passes by itself: answers that were lost, and refusals for the moment.
PASSING = {
    "lost": Fault(title="", is_lost=True),
    "told to wait": Fault(title="", answer=error(429, "TooManyRequests", "slow down", Retry_After="0"), times=2),
    "told to slow down": Fault(title="", answer=error(429, "TooManyRequests", "slow down")),
    "busy": Fault(title="", answer=error(503, "ServerTimeout", "busy"), times=2),
}

#: What does not.
LASTING = {
    "denied": Fault(title="", answer=error(403, "AuthorizationFailed", "no permission"), times=ALWAYS),
    "lost for ever": Fault(title="", is_lost=True, times=ALWAYS),
    "broken": Fault(title="", answer=Answer(status=500, body={"oops": 1}), times=ALWAYS),
    "no JSON": Fault(title="", answer=Answer(status=400, body="a gateway's page"), times=ALWAYS),
}


def record(world: World, spec: ClusterSpec) -> list[str]:
    """Return what a creation and a deletion ask, each kind of call once."""
    provider = AksProvider(QUICK)
    provider.create(spec, lambda _: None)
    provider.delete(spec.name)
    titles = list(dict.fromkeys(world.azure.calls))
    assert {"sign in", "PUT group", "PUT cluster", "POST credentials", "DELETE group"} <= set(titles)
    return titles


def begin(world: World, title: str, fault: Fault) -> None:
    world.azure.reset()
    world.kubernetes.reset()
    world.azure.faults = [Fault(title=title, times=fault.times, answer=fault.answer, is_lost=fault.is_lost)]


def try_both(spec: ClusterSpec) -> str | None:
    """Create and delete; return what was told when one of them failed."""
    # What is waited for in vain is not waited for long.
    provider = AksProvider(dataclasses.replace(QUICK, removal=1, cluster=3, consistency=1))
    try:
        provider.create(spec, lambda _: None)
        provider.delete(spec.name)
    except ClustersError as problem:
        return str(problem)
    return None


def assert_nothing_is_left(azure: Azure) -> None:
    assert azure.is_empty
    assert ledger.leases() == ()
    assert not (paths.state_dir() / "aks" / NAME).exists()


@pytest.mark.parametrize("kind", PASSING)
def test_what_passes_by_itself_harms_no_creation_and_no_deletion(
    world: World, spec: ClusterSpec, subtests: pytest.Subtests, kind: str
) -> None:
    for title in record(world, spec):
        with subtests.test(title):
            begin(world, title, PASSING[kind])
            AksProvider(QUICK).create(spec, lambda _: None)
            AksProvider(QUICK).delete(spec.name)
            assert world.azure.faults[0].times == 0
            assert_nothing_is_left(world.azure)


@pytest.mark.parametrize("kind", LASTING)
def test_what_does_not_pass_leaves_nothing_that_a_later_deletion_does_not_find(
    world: World, spec: ClusterSpec, subtests: pytest.Subtests, kind: str
) -> None:
    for title in record(world, spec):
        with subtests.test(title):
            begin(world, title, LASTING[kind])
            said = try_both(spec)
            # Only what is done all the same when the answer is lost may succeed.
            assert said is not None or kind != "denied" or title == "GET operation"
            assert said is None or said.endswith((".", "while it is there."))
            # What exists is leased, whatever happened.
            assert world.azure.is_empty or [lease.name for lease in ledger.leases()] == [NAME]
            world.azure.faults.clear()
            AksProvider(QUICK).delete(spec.name)
            assert_nothing_is_left(world.azure)


def test_the_lease_is_written_before_the_first_call_that_changes_anything(
    azure: Azure, provider: AksProvider, spec: ClusterSpec
) -> None:
    leased: dict[str, bool] = {}
    azure.on_call = lambda title: leased.setdefault(title, ledger.find("aks", NAME) is not None)
    provider.create(spec, lambda _: None)
    changing = [title for title in leased if not title.startswith(("GET", "sign"))]
    assert changing[0] == "PUT group"
    assert all(leased[title] for title in changing)
    assert not leased["GET group"]
