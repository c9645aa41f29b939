from __future__ import annotations

import threading

import pytest

from clusters import interrupts
from conformance.model import ClusterKey, Node
from conformance.turns import Turns


def key(name: str, *, emulators: bool = False) -> ClusterKey:
    return ClusterKey(provider="embedded", kubernetes="1.35", node=Node(name=name, emulators=emulators))


A, ALONE, B = key("a"), key("alone", emulators=True), key("b")


def has_turn(turns: Turns, wanted: ClusterKey) -> bool:
    """Say whether a cluster may be created now: its waiting is given up from the start."""
    given_up = threading.Event()
    given_up.set()
    with interrupts.given_up_by(given_up):
        try:
            turns.wait_for(wanted)
        except KeyboardInterrupt:
            return False
    return True


def test_clusters_that_may_stand_side_by_side_do_not_wait() -> None:
    turns = Turns((A, B))
    assert has_turn(turns, A)
    assert has_turn(turns, B)


def test_one_that_changes_the_machine_waits_for_those_before_and_those_after_wait_for_it() -> None:
    turns = Turns((A, ALONE, B))
    assert has_turn(turns, A)
    assert not has_turn(turns, ALONE)
    assert not has_turn(turns, B)
    turns.end(A)
    assert has_turn(turns, ALONE)
    assert not has_turn(turns, B)
    turns.end(ALONE)
    assert has_turn(turns, B)


def test_the_first_never_waits() -> None:
    assert has_turn(Turns((ALONE, A)), ALONE)


def test_a_cluster_that_is_not_planned_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match=r"tuple\.index"):
        Turns((A,)).wait_for(B)
