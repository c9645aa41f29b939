from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.artifacts import RunFolder
from conformance.diff import UNKNOWN, Axis, Difference, Shift, diff
from conformance.model import (
    Cell,
    ChartRecord,
    NodeFacts,
    Observation,
    Outcome,
    Run,
    Stage,
    StageReport,
    StageStatus,
    Versions,
)
from tests.conformance.records import cell, result

MakeRun = Callable[..., RunFolder]
VERSIONS = {
    "kubernetes": "v1.35.4",
    "policy": "latest (v1.35.4)",
    "chart": "build-sidecar 0.1.0",
    "builder_image": "buildkit:1",
    "builder_image_digest": "sha256:aa",
}
NODE = {"kernel": "6.18.0", "os": "Debian", "container_runtime": "containerd://2.4.2", "seccomp_default": False}


def observation(of: Cell, versions: dict[str, Any], node: dict[str, Any]) -> Observation:
    return Observation(
        cell=of.id,
        stages=(StageReport(stage=Stage.START, status=StageStatus.PASSED, seconds=1),),
        versions=Versions.model_validate(VERSIONS | versions),
        node_facts=NodeFacts.model_validate(NODE | node),
    )


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    def make(
        *cells: Cell,
        versions: dict[str, Any] | None = None,
        node: dict[str, Any] | None = None,
        run: dict[str, Any] | None = None,
        seen: bool = True,
        **changes: Any,  # noqa: ANN401 - any field of a result
    ) -> RunFolder:
        made = RunFolder.create(tmp_path / "runs")
        planned = cells or (cell(), cell("b"))
        made.write_plan(planned)
        made.write_run(Run.model_validate({"run_id": made.run_id, "started": "now", "rules": "r1", **(run or {})}))
        for index, one in enumerate(planned):
            made.append_result(result(one, **(changes if index == 0 else {})))
            if seen:
                made.write_observation(one.id, observation(one, versions or {}, node or {}))
        return made

    return make


def axes(found: Difference) -> set[Axis]:
    return {shift.axis for shift in found.shifts}


FAILED = {"outcome": Outcome.UNEXPECTED_FAILURE, "class_": "disk-full"}


def test_two_runs_alike_have_no_difference(make_run: MakeRun) -> None:
    found = diff(make_run(), make_run())
    assert found == Difference(changes=(), shifts={}, gone=(), appeared=(), compared=2)


@pytest.mark.parametrize(
    ("changes", "axis"),
    [
        ({"versions": {"chart": "build-sidecar 0.2.0"}}, Axis.CHART),
        ({"run": {"chart": ChartRecord(digest="other").model_dump()}}, Axis.CHART),
        ({"versions": {"builder_image_digest": "sha256:bb"}}, Axis.BUILDER_IMAGE),
        ({"versions": {"kubernetes": "v1.35.5"}}, Axis.KUBERNETES),
        ({"versions": {"policy": "v1.34"}}, Axis.POLICY),
        ({"node": {"container_runtime": "containerd://2.5.0"}}, Axis.NODE_IMAGE),
        ({"node": {"kernel": "6.19.0"}}, Axis.KERNEL),
        ({"node": {"seccomp_default": True}}, Axis.NODE),
        ({"node": {"sysctls": {"user.max_user_namespaces": "0"}}}, Axis.NODE),
        ({"run": {"rules": "r2"}}, Axis.RULES),
        ({"run": {"harness": "0.2.0"}}, Axis.HARNESS),
        ({"run": {"git_commit": "abc", "git_dirty": True}}, Axis.HARNESS),
    ],
)
def test_a_verdict_is_told_with_the_axis_that_changed_with_it(
    make_run: MakeRun, changes: dict[str, Any], axis: Axis
) -> None:
    found = diff(make_run(), make_run(**changes, **FAILED))
    (change,) = found.changes
    assert (change.before.outcome, change.after.outcome) == (Outcome.AS_CLAIMED, Outcome.UNEXPECTED_FAILURE)
    assert [shift.axis for shift in change.shifts] == [axis]
    assert axes(found) == {axis}
    assert list(found.shifts.values()) == [2]


def test_before_and_after_of_an_axis_are_named(make_run: MakeRun) -> None:
    found = diff(make_run(), make_run(node={"kernel": "6.19.0"}))
    assert found.changes == ()
    assert dict(found.shifts) == {Shift(axis=Axis.KERNEL, before="6.18.0", after="6.19.0"): 2}


def test_a_fact_only_one_run_kept_is_unknown_in_the_other(make_run: MakeRun) -> None:
    found = diff(make_run(node={"kernel": None}), make_run())
    assert dict(found.shifts) == {Shift(axis=Axis.KERNEL, before=UNKNOWN, after="6.18.0"): 2}


def test_another_claim_is_an_axis(make_run: MakeRun) -> None:
    found = diff(make_run(), make_run(claim="psa-baseline-violation", outcome=Outcome.UNEXPECTED_SUPPORT))
    (change,) = found.changes
    assert [shift.axis for shift in change.shifts] == [Axis.CLAIMS]
    assert list(found.shifts.values()) == [1]


def test_other_settings_of_a_builder_are_an_axis(make_run: MakeRun) -> None:
    plain = cell()
    other = plain.model_copy(update={"builder": plain.builder.model_copy(update={"args": ("--debug",)})})
    assert axes(diff(make_run(plain), make_run(other))) == {Axis.BUILDER}


def test_a_reworded_summary_is_none(make_run: MakeRun) -> None:
    plain = cell()
    other = plain.model_copy(update={"builder": plain.builder.model_copy(update={"summary": "other words"})})
    assert axes(diff(make_run(plain), make_run(other))) == set()


def test_a_verdict_that_changed_with_nothing_says_so(make_run: MakeRun) -> None:
    (change,) = diff(make_run(), make_run(**FAILED)).changes
    assert change.shifts == ()


def test_another_class_with_the_same_outcome_is_a_change(make_run: MakeRun) -> None:
    one = make_run(outcome=Outcome.INCONCLUSIVE, class_="disk-full")
    other = make_run(outcome=Outcome.INCONCLUSIVE, class_="oom-killed")
    assert len(diff(one, other).changes) == 1


def test_runs_on_two_kubernetes_lines_are_compared_cell_by_cell(make_run: MakeRun) -> None:
    found = diff(make_run(cell(kubernetes="1.34"), seen=False), make_run(cell(kubernetes="1.35"), seen=False, **FAILED))
    (change,) = found.changes
    assert change.shifts == (Shift(axis=Axis.KUBERNETES, before="1.34", after="1.35"),)
    assert (found.gone, found.appeared, found.compared) == ((), (), 1)


def test_cells_that_fit_several_are_not_paired(make_run: MakeRun) -> None:
    one = make_run(cell(kubernetes="1.33"), cell(kubernetes="1.34"))
    found = diff(one, make_run(cell(kubernetes="1.35")))
    assert (len(found.gone), len(found.appeared), found.compared) == (2, 1, 0)


def test_cells_that_only_one_run_has_are_named(make_run: MakeRun) -> None:
    found = diff(make_run(cell(), cell("gone")), make_run(cell(), cell("new")))
    assert (found.gone, found.appeared) == ((cell("gone").id,), (cell("new").id,))


def test_what_only_one_run_looked_at_is_no_axis(make_run: MakeRun) -> None:
    assert axes(diff(make_run(seen=False), make_run())) == set()
