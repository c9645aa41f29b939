from __future__ import annotations

from clusters.provider import Provenance
from conformance.model import Evidence, Outcome, Role
from conformance.report import summary
from tests.conformance.records import cell, control, result


def test_grids_are_sorted_whatever_the_order_of_the_results() -> None:
    cells = [
        cell("b", "restricted"),
        cell("a", "baseline@v1.34"),
        cell("a", "baseline"),
        cell("a", "privileged"),
        cell("a", "baseline", kubernetes="1.9"),
    ]
    results = [result(one) for one in cells]
    grids = summary.grids(results)
    assert [grid.cluster for grid in grids] == ["embedded-1.9", "embedded-1.35"]
    assert grids[1].levels == ("privileged@latest", "baseline@latest", "baseline@v1.34", "restricted@latest")
    assert grids[1].builders == ("a", "b")
    assert grids == summary.grids(reversed(results))


def test_the_control_is_no_cell_of_the_grid() -> None:
    (grid,) = summary.grids([result(control()), result()])
    assert grid.control == result(control())
    assert list(grid.cells) == [("rootless-unset", "baseline@latest")]
    assert grid.levels == ("baseline@latest",)


def test_what_is_not_genuine_says_what_it_is() -> None:
    (grid,) = summary.grids([result(provenance=Provenance.SIMULATED), result(control())])
    assert grid.caveat == "simulated"


def test_totals_leave_controls_out_and_put_the_good_first() -> None:
    results = [
        result(outcome=Outcome.WRONG_CLASS),
        result(),
        result(),
        result(control(), outcome=Outcome.INCONCLUSIVE),
    ]
    assert list(summary.totals(results).items()) == [(Outcome.AS_CLAIMED, 2), (Outcome.WRONG_CLASS, 1)]
    assert summary.sentence(results) == "3 cells: 2 as-claimed, 1 wrong-class"


def test_one_cell_is_one_cell() -> None:
    assert summary.sentence([result()]) == "1 cell: 1 as-claimed"


def test_nothing_ran_is_said() -> None:
    assert summary.sentence([]) == "0 cells: none ran"


def test_a_control_is_no_broken_claim() -> None:
    broken = result(outcome=Outcome.WRONG_CLASS)
    assert summary.broken([result(control(), outcome=Outcome.UNEXPECTED_FAILURE), broken, result()]) == (broken,)


def test_evidence_is_one_line_with_its_place() -> None:
    lines = summary.evidence(
        result(evidence=(Evidence(file="logs/a.log", line=3, text="a\n\tb"), Evidence(file="facts", line=0, text="c")))
    )
    place = "cells/embedded-1.35-baseline-rootless-unset"
    assert lines == (f"{place}/logs/a.log:3: a b", f"{place}/facts: c")


def test_endless_evidence_is_cut() -> None:
    (line,) = summary.evidence(result(evidence=(Evidence(file="a", line=1, text="x" * 5000),)))
    assert len(line) < 500
    assert line.endswith("...")


def test_what_was_seen_is_a_word() -> None:
    assert summary.seen(result()) == "builds"
    assert summary.seen(result(class_="disk-full", outcome=Outcome.INCONCLUSIVE)) == "disk-full"
    assert summary.seen(result(outcome=Outcome.NOT_RUN)) == "not run"


def test_flaky_cells_are_counted_controls_too() -> None:
    flaky = result(control(), tries=("disk-full",))
    assert summary.flaky([flaky, result()]) == (flaky,)
    assert flaky.role is Role.CONTROL
