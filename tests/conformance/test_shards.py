from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.errors import UsageError
from conformance.estimate import Durations
from conformance.model import Cell, ClusterRecord, Role, Run
from conformance.plan import Plan
from conformance.shards import Costs, Shard, _pack, _Piece, costs, select, shards
from tests.conformance.records import cell, claim, result

FLAT = Costs(cell=lambda _: 10.0, setup=lambda _: 30.0, workers=1)


def plan(*cells: Cell) -> Plan:
    keys = dict.fromkeys((each.provider, each.kubernetes) for each in cells)
    controls = tuple(cell("full", "privileged", line, provider, Role.CONTROL) for provider, line in keys)
    return Plan(matrix="m", cells=cells, controls=controls)


def on(line: str, count: int) -> list[Cell]:
    return [cell(f"b{number:04}", kubernetes=line) for number in range(count)]


def slowest(made: tuple[Shard, ...]) -> float:
    return max(shard.seconds for shard in made)


@given(
    counts=st.lists(st.integers(1, 12), min_size=1, max_size=5),
    number=st.integers(1, 8),
    setup=st.floats(0, 100),
    seed=st.integers(0, 1000),
)
@settings(deadline=None, max_examples=60)
def test_every_cell_is_in_exactly_one_shard_and_no_shard_is_slower_than_all_of_it(
    counts: list[int], number: int, setup: float, seed: int
) -> None:
    cells = [each for line, count in enumerate(counts, start=30) for each in on(f"1.{line}", count)]
    prices = Costs(cell=lambda each: 1.0 + (hash((each.id, seed)) % 50), setup=lambda _: setup, workers=1)
    made = shards(plan(*cells), number, prices)
    assert sorted(name for shard in made for name in shard.cells) == sorted(each.id for each in cells)
    assert 1 <= len(made) <= number
    assert all(shard.cells for shard in made)
    assert [shard.index for shard in made] == list(range(1, len(made) + 1))
    assert {shard.of for shard in made} == {number}
    whole = sum(map(prices.cell, cells)) + setup * len(counts)
    longest = max(map(prices.cell, cells)) + setup
    assert max(whole / number if len(counts) >= number else 0, longest) - 0.1 <= slowest(made) <= whole + 0.1


def test_a_cluster_that_a_shard_has_already_is_not_created_again() -> None:
    cells = on("1.35", 2)
    pieces = [_Piece(cluster=each.cluster, cells=(each,), seconds=10, setup=30) for each in cells]
    (load,) = _pack([pieces], 1)
    assert load.seconds == 30 + 10 + 10


def test_clusters_that_balance_are_not_torn_apart() -> None:
    made = shards(plan(*on("1.33", 4), *on("1.34", 4), *on("1.35", 4)), 3, FLAT)
    assert [shard.clusters for shard in made] == [("embedded-1.33",), ("embedded-1.34",), ("embedded-1.35",)]
    assert slowest(made) == 70


def test_a_cluster_is_cut_where_that_shortens_the_slowest_shard() -> None:
    made = shards(plan(*on("1.35", 12)), 3, FLAT)
    assert [len(shard.cells) for shard in made] == [4, 4, 4]
    assert slowest(made) == 70


def test_a_cluster_is_not_cut_where_creating_it_twice_costs_more_than_it_saves() -> None:
    prices = Costs(cell=lambda _: 10.0, setup=lambda _: 1000.0, workers=1)
    made = shards(plan(*on("1.34", 3), *on("1.35", 3)), 2, prices)
    assert [shard.clusters for shard in made] == [("embedded-1.34",), ("embedded-1.35",)]


def test_the_longest_cell_does_not_wait_for_others() -> None:
    cells = on("1.35", 7)
    prices = Costs(cell=lambda each: 60.0 if each is cells[6] else 10.0, setup=lambda _: 0.0, workers=1)
    assert slowest(shards(plan(*cells), 2, prices)) == 60


def test_a_thousand_cells_are_cut_fast_and_well() -> None:
    cells = [each for line in range(32, 40) for each in on(f"1.{line}", 125)]
    prices = Costs(cell=lambda each: 2.0 + len(each.id) + int(each.builder.name[1:]) % 11, setup=lambda _: 20.0)
    began = time.process_time()
    made = shards(plan(*cells), 20, prices)
    assert time.process_time() - began < 10
    ideal = (sum(map(prices.cell, cells)) / prices.workers + 20 * 20) / 20
    assert slowest(made) < 1.25 * ideal


def test_the_order_of_cells_does_not_change_the_shards() -> None:
    cells = [*on("1.34", 5), *on("1.35", 9)]
    one, other = shards(plan(*cells), 3, FLAT), shards(plan(*reversed(cells)), 3, FLAT)
    assert {frozenset(shard.cells) for shard in one} == {frozenset(shard.cells) for shard in other}


def test_more_shards_than_cells_are_not_made() -> None:
    assert len(shards(plan(*on("1.35", 2)), 9, FLAT)) == 2


def test_what_was_measured_counts_more_than_the_tables_and_the_newest_most() -> None:
    table = Durations(cluster={"default": 100.0}, cell={"supported": 12.0, "default": 7.0})
    made = plan(cell(), cell(level="restricted"))
    old = (
        Run(run_id="a", started="2026-01-01"),
        [result(cell(), seconds=99), result(cell(level="restricted"), seconds=3)],
    )
    record = ClusterRecord(cluster="embedded-1.35", provider="embedded", kubernetes="1.35", seconds=40)
    new = (
        Run(run_id="b", started="2026-02-01", clusters=(record,)),
        [result(cell(), seconds=5), result(made.controls[0])],
    )
    prices = costs(made, [claim()], durations=table, recorded=[new, old])
    assert [prices.cell(each) for each in made.cells] == [5, 3]
    assert prices.setup(made.controls[0].key) == 40 + 7
    assert costs(made, [claim()], durations=table).cell(made.cells[0]) == 12
    assert costs(made, [claim()], durations=table).setup(made.controls[0].key) == 107


def test_the_shards_of_a_plan_are_the_plan() -> None:
    whole = plan(*on("1.34", 25), *on("1.35", 39))
    made = shards(whole, 3, costs(whole, []))
    parts = [select(whole, [], shard=shard.name) for shard in made]
    assert len(made) == 3
    assert [tuple(each.id for each in part.cells) for part in parts] == [shard.cells for shard in made]
    assert sorted(each.id for part in parts for each in part.cells) == sorted(each.id for each in whole.cells)
    for part in parts:
        assert {each.cluster for each in part.controls} == {each.cluster for each in part.cells}
        assert [each.id for each in part.cells] == [each.id for each in whole.cells if each in part.cells]


def test_without_a_choice_the_plan_stays() -> None:
    whole = plan(*on("1.35", 2))
    assert select(whole, []) is whole


@pytest.mark.parametrize("text", ["0/3", "4/3", "x", "1", "1/0", "-1/3"])
def test_what_is_no_shard_is_told(text: str) -> None:
    with pytest.raises(UsageError, match="is no shard: write such as 2/3"):
        select(plan(*on("1.35", 4)), [], shard=text)


def test_a_shard_without_cells_is_told() -> None:
    with pytest.raises(UsageError, match="3/3 has no cell: more than 1 would not shorten it"):
        select(plan(*on("1.35", 2)), [], shard="3/3")


def test_a_file_names_the_cells_in_any_order_and_controls_come_by_themselves(tmp_path: Path) -> None:
    whole = plan(*on("1.34", 2), *on("1.35", 3))
    file = tmp_path / "cells"
    file.write_text(f"{whole.cells[4].id}\n\n{whole.controls[0].id}\n {whole.cells[2].id}\n")
    part = select(whole, [], cells=str(file))
    assert part.cells == (whole.cells[2], whole.cells[4])
    assert part.controls == (whole.controls[1],)


def test_a_cell_that_is_not_planned_is_told_with_what_is_nearest(tmp_path: Path) -> None:
    file = tmp_path / "cells"
    file.write_text("embedded-1.35-baseline-b000\n")
    with pytest.raises(UsageError, match=r"unknown cell .* did you mean 'embedded-1.35-baseline-b0000'"):
        select(plan(*on("1.35", 1)), [], cells=str(file))


def test_a_file_that_is_empty_or_missing_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(UsageError, match="names no cell"):
        select(plan(*on("1.35", 1)), [], cells=str(tmp_path / "empty"))
    with pytest.raises(UsageError, match="cannot be read"):
        select(plan(*on("1.35", 1)), [], cells=str(tmp_path / "none"))


def test_shard_and_cells_together_are_refused() -> None:
    with pytest.raises(UsageError, match="give one of them"):
        select(plan(*on("1.35", 1)), [], shard="1/1", cells="x")
