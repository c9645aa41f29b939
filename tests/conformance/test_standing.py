from __future__ import annotations

import pytest

from clusters import providers
from clusters.provider import BASIC_IMAGES, Capability, ImageRole
from conformance import standing
from conformance.model import ClusterKey, Node
from tests.conformance.records import builder, cell

GIB = 1024**3


class Heavy:
    def weight(self) -> int:
        return 3 * GIB


class Remote:
    """A provider whose clusters take nothing of this machine."""


@pytest.fixture(autouse=True)
def _(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "PROVIDERS", {"embedded": Heavy(), "eks": Remote()})
    monkeypatch.setattr("conformance.standing.os.cpu_count", lambda: 4)


def key(provider: str = "embedded", node: str = "default") -> ClusterKey:
    return ClusterKey(provider=provider, kubernetes="1.35", node=Node(name=node))


KEYS = [key(node=name) for name in "abcdef"]


def test_as_many_clusters_stand_side_by_side_as_memory_allows_but_never_none() -> None:
    assert standing.side_by_side(KEYS, memory=7 * GIB) == 2
    assert standing.side_by_side(KEYS, memory=GIB) == 1
    assert standing.side_by_side([key()], memory=100 * GIB) == 1


def test_no_more_clusters_stand_side_by_side_than_there_are_processors() -> None:
    assert standing.side_by_side(KEYS, memory=100 * GIB) == 4


def test_clusters_elsewhere_take_no_turn_of_those_here() -> None:
    assert standing.split([key(), key("eks")]) == ((key(),), (key("eks"),))


def test_a_cluster_is_asked_for_what_its_cells_need_and_nothing_more() -> None:
    stored = builder("b", needs=("volumes",))
    cells = [cell(), cell().model_copy(update={"builder": stored})]
    spec = standing.cluster_spec("20261121-0412-ab3f", key(node="strict"), cells)
    assert spec.name == "20261121-0412-ab3f-embedded-1-35-strict"
    assert spec.features == {Capability.VOLUMES}
    assert spec.images == BASIC_IMAGES | {ImageRole.BUILDKIT_ROOTLESS}
