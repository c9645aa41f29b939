"""Every changing call of a creation and of a removal, found by recording one, is refused and has its answer lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from clusters.errors import ClustersError
from tests.clusters.eks.conftest import Cloud
from tests.clusters.eks.wire import How

#: More than this many calls means that something goes round in circles.
MANY = 60


@pytest.mark.parametrize("how", How)
def test_a_creation_that_breaks_at_any_call_leaves_nothing_after_a_removal(one_connection: Cloud, how: How) -> None:
    cloud = one_connection
    seen = list(_broken_creations(cloud, how))
    assert seen == _recorded_creation(cloud)


def _broken_creations(cloud: Cloud, how: How) -> Iterator[str]:
    """Break the first, the second, ... changing call, until a creation gets by without meeting the break."""
    for nth in range(MANY):
        cloud.wire.break_(nth, how)
        try:
            cloud.create()
        except ClustersError as error:
            broken = cloud.wire.calls[nth]
            said = str(error)
        else:
            assert len(cloud.wire.calls) == nth, f"a creation did not notice that {cloud.wire.calls[nth]} broke"
            return
        finally:
            cloud.wire.reset()
            cloud.provider.delete(cloud.name)
        assert broken in said, f"the error does not name {broken}: {said}"
        left = cloud.left()
        assert not left, f"{how} of {broken} left {sorted(left)}"
        yield broken
    pytest.fail(f"a creation makes more than {MANY} changing calls")


def _recorded_creation(cloud: Cloud) -> list[str]:
    cloud.wire.reset()
    cloud.create()
    return list(cloud.wire.calls)


@pytest.mark.parametrize("how", How)
def test_a_removal_that_breaks_at_any_call_is_finished_by_the_next(one_connection: Cloud, how: How) -> None:
    """Break the first call of a removal, then of the next: each call is met when all before it were done."""
    cloud = one_connection
    cloud.create()
    cloud.wire.reset()
    cloud.provider.delete(cloud.name)
    expected = list(cloud.wire.calls)
    cloud.create()
    seen: list[str] = []
    told: list[str] = []
    for _ in range(MANY):
        # What is refused stays undone and is met again: then the second is broken.
        cloud.wire.break_(1 if seen and how is How.DENY else 0, how)
        try:
            cloud.provider.delete(cloud.name)
        except ClustersError as error:
            seen.append(cloud.wire.calls[-1])
            told.append(str(error))
        else:
            break
    assert seen == expected
    assert all(operation in text for operation, text in zip(seen, told, strict=True))
    cloud.wire.reset()
    assert cloud.left() == frozenset()


def test_a_creation_and_a_removal_that_lose_the_first_answer_to_everything_succeed(one_connection: Cloud) -> None:
    cloud = one_connection
    cloud.wire.reset()
    cloud.wire.loses_each_once = True
    cluster = cloud.create()
    assert cluster.facts["node"]
    twice = [call for call in set(cloud.wire.calls) if cloud.wire.calls.count(call) > 1]
    assert {"create_vpc", "create_role", "create_cluster", "create_nodegroup"} <= set(twice)
    cloud.provider.delete(cloud.name)
    cloud.wire.reset()
    assert cloud.left() == frozenset()
