from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from conformance.scheduling import InOrder


@dataclass(eq=False)
class Worker:
    """A worker at xdist's seam: remembers which cells it was sent."""

    name: str
    sent: list[int] = field(default_factory=list)
    shutting_down: bool = False

    @property
    def gateway(self) -> Any:  # noqa: ANN401 - whatever xdist reads of it
        return type("Gateway", (), {"id": self.name})()

    def send_runtest_some(self, indices: list[int]) -> None:
        self.sent += indices

    def shutdown(self) -> None:
        self.shutting_down = True


class Config:
    """What the scheduler asks of pytest."""

    def getoption(self, name: str) -> int:
        assert name == "maxschedchunk"
        return 1

    def getvalue(self, name: str) -> list[str]:
        assert name == "tx"
        return ["popen", "popen"]


@pytest.fixture
def scheduler() -> tuple[Any, Worker, Worker]:
    made: Any = InOrder(Config())
    one, other = Worker("one"), Worker("other")
    cells = [f"cell-{number}" for number in range(40)]
    for worker in (one, other):
        made.add_node(worker)
        made.add_node_collection(worker, cells)
    made.schedule()
    return made, one, other


def test_cells_go_out_in_the_plans_order(scheduler: tuple[Any, Worker, Worker]) -> None:
    _, one, other = scheduler
    assert (one.sent, other.sent) == ([0, 1], [2, 3])


def test_the_cells_of_a_worker_that_died_are_the_next_to_go_out(scheduler: tuple[Any, Worker, Worker]) -> None:
    made, one, other = scheduler
    assert made.remove_node(one) == "cell-0"
    assert other.sent == [2, 3]
    replacement = Worker("replacement")
    made.add_node(replacement)
    made.add_node_collection(replacement, made.collection)
    made.schedule()
    assert replacement.sent[0] == 1


def test_a_worker_that_had_nothing_left_leaves_nothing(scheduler: tuple[Any, Worker, Worker]) -> None:
    made, one, _ = scheduler
    made.node2pending[one].clear()
    assert made.remove_node(one) is None
