from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance import merge
from conformance.artifacts import RunFolder
from conformance.errors import UsageError
from conformance.merge import LOST, Kept, Part
from conformance.model import (
    Cell,
    ChartRecord,
    ClusterRecord,
    Observation,
    Outcome,
    Result,
    Run,
    Source,
    SourceKind,
    Stage,
    StageReport,
    StageStatus,
)
from conformance.report import write_reports
from tests.conformance.records import builder, cell, control, result

CELLS = (control(), *(cell(f"b{number}") for number in range(4)), control("1.34"), cell("b0", kubernetes="1.34"))


def texts(*words: str) -> st.SearchStrategy[str]:
    return st.sampled_from(["", *words])


@st.composite
def parts(draw: st.DrawFn) -> Part:
    """Return what some run of a plan's cells left; several such never contradict each other."""
    planned = draw(st.lists(st.sampled_from(CELLS), unique_by=lambda each: each.id))
    kept = {}
    for each in planned:
        outcome = draw(st.sampled_from(Outcome))
        line = result(each, outcome=outcome, seconds=draw(st.sampled_from([1.0, 2.0])))
        kept[each.id] = Kept(result=line, digest=draw(texts("a", "b")))
    run = Run(
        run_id=draw(st.sampled_from(["r1", "r2", "r3"])),
        started=draw(texts("2026-11-21T04:12:00Z", "2026-11-21T05:12:00Z")),
        ended=draw(texts("2026-11-21T06:12:00Z", "2026-11-21T07:12:00Z")),
        interrupted=draw(st.booleans()),
        git_dirty=draw(st.booleans()),
        argv=tuple(draw(st.lists(st.sampled_from(["conformance", "run", "--keep"]), max_size=2))),
        matrix=draw(texts("default")),
        chart=draw(st.sampled_from([ChartRecord(), ChartRecord(name="c", digest="d", origin=draw(texts("/a", "/b")))])),
        versions=draw(st.dictionaries(st.sampled_from(["helm", "pytest"]), st.sampled_from(["1", "2", "3"]))),
        clusters=tuple(
            ClusterRecord(
                cluster=name,
                provider="embedded",
                kubernetes="1.35",
                failure=draw(texts("broken")),
                seconds=draw(st.sampled_from([1.0, 2.0])),
            )
            for name in draw(st.lists(st.sampled_from(["embedded-1.34", "embedded-1.35"]), unique=True).map(sorted))
        ),
    )
    run = run.model_copy(update={"parts": (run.run_id,)})
    logs = {name: Path(name) for name in draw(st.lists(st.sampled_from("xy"), unique=True))}
    return Part(
        plan={each.id: each for each in planned},
        results=kept,
        run=draw(st.sampled_from([run, None])),
        clusters=logs,
    )


@given(parts(), parts(), parts())
@settings(deadline=None, max_examples=200)
def test_it_does_not_matter_which_are_joined_first(one: Part, two: Part, three: Part) -> None:
    left = merge.merge([merge.merge([one, two]), three])
    assert left == merge.merge([one, merge.merge([two, three])])
    assert left == merge.merge([one, two, three])


@given(st.lists(parts(), min_size=1, max_size=3))
@settings(deadline=None, max_examples=100)
def test_the_order_of_runs_does_not_matter(every: list[Part]) -> None:
    wanted = merge.merge(every)
    assert all(merge.merge(order) == wanted for order in permutations(every))


@given(parts(), parts())
@settings(deadline=None, max_examples=100)
def test_joining_a_run_again_changes_nothing(one: Part, other: Part) -> None:
    joined = merge.merge([one, other])
    assert merge.merge([one, one]) == one
    assert merge.merge([joined, one]) == joined
    assert merge.merge([joined, joined, other]) == joined


@pytest.fixture
def plan() -> tuple[Cell, ...]:
    return (control(), *(cell(f"b{number}") for number in range(4)))


def ran(base: Path, planned: tuple[Cell, ...], *results: Result, **changes: object) -> RunFolder:
    folder = RunFolder.create(base)
    folder.write_plan(planned)
    values = {"run_id": folder.run_id, "started": "2026-11-21T04:12:00Z", "ended": "2026-11-21T05:00:00Z"}
    folder.write_run(Run.model_validate(values | changes))
    for line in results:
        folder.append_result(line)
        folder.write_observation(
            line.cell,
            Observation(
                cell=line.cell,
                stages=(StageReport(stage=Stage.START, status=StageStatus.PASSED, seconds=1),),
                sources=(Source(file="logs/a.log", kind=SourceKind.DAEMON, text=f"seen by {folder.run_id}\n"),),
            ),
        )
    return folder


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def join(into: Path, *folders: RunFolder, planned: tuple[Cell, ...] = ()) -> RunFolder:
    read = [merge.read(folder) for folder in folders]
    return merge.write(merge.merge([*read, *([merge.planned(planned)] if planned else [])]), into)


def test_the_shards_of_a_plan_join_into_what_one_run_would_have_left(tmp_path: Path, plan: tuple[Cell, ...]) -> None:
    one = ran(tmp_path / "a", (plan[0], *plan[3:]), *map(result, (plan[0], *plan[3:])))
    other = ran(tmp_path / "b", plan[:3], *map(result, plan[:3]))
    joined = join(tmp_path / "joined", one, other)
    whole = ran(tmp_path / "c", plan, *map(result, plan))
    assert joined.read_plan() == whole.read_plan()
    assert joined.read_results() == whole.read_results()
    assert (joined.path / "plan.jsonl").read_bytes() == (whole.path / "plan.jsonl").read_bytes()
    assert (joined.path / "results.jsonl").read_bytes() == (whole.path / "results.jsonl").read_bytes()
    assert joined.read_text(plan[4].id, "logs/a.log") == f"seen by {one.run_id}\n"
    assert joined.read_text(plan[2].id, "logs/a.log") == f"seen by {other.run_id}\n"
    assert joined.read_run().parts == tuple(sorted((one.run_id, other.run_id)))
    write_reports(joined)


def test_any_grouping_of_folders_gives_the_same_bytes(tmp_path: Path, plan: tuple[Cell, ...]) -> None:
    shards = [
        ran(tmp_path / "a", plan[:2], *map(result, plan[:2])),
        ran(tmp_path / "b", (plan[0], *plan[2:4]), result(plan[0], outcome=Outcome.INCONCLUSIVE), result(plan[2])),
        ran(tmp_path / "c", (plan[0], plan[4]), ended=""),
    ]
    straight = join(tmp_path / "straight", *shards)
    nested = join(tmp_path / "nested", join(tmp_path / "inner", shards[2], shards[0]), shards[1], shards[2])
    assert content(nested.path) == content(straight.path)


def test_joining_into_the_same_folder_again_changes_nothing(tmp_path: Path, plan: tuple[Cell, ...]) -> None:
    shards = [ran(tmp_path / "a", plan[:2], result(plan[1])), ran(tmp_path / "b", plan[2:], result(plan[3]))]
    joined = join(tmp_path / "joined", *shards)
    before = content(joined.path)
    assert content(join(tmp_path / "joined", *shards).path) == before
    assert content(join(tmp_path / "joined", joined, shards[1]).path) == before


def test_the_cells_of_a_killed_shard_did_not_run(tmp_path: Path, plan: tuple[Cell, ...]) -> None:
    killed = ran(tmp_path / "a", (plan[0], *plan[1:3]), result(plan[1]), ended="")
    joined = join(tmp_path / "joined", killed, ran(tmp_path / "b", plan[3:], *map(result, plan[3:])))
    line = next(each for each in joined.read_results() if each.cell == plan[2].id)
    assert (line.outcome, line.reason) == (Outcome.NOT_RUN, LOST)
    assert joined.read_run().ended == ""


def test_cells_that_no_run_had_did_not_run(tmp_path: Path, plan: tuple[Cell, ...]) -> None:
    joined = join(tmp_path / "joined", ran(tmp_path / "a", plan[:2], result(plan[1])), planned=plan)
    assert [line.cell for line in joined.read_results()] == [each.id for each in plan]
    assert [line.reason for line in joined.read_results()[2:]] == [LOST] * 3


def test_a_cell_that_ran_later_counts_and_of_two_that_ran_the_worse(tmp_path: Path, plan: tuple[Cell, ...]) -> None:
    first = ran(tmp_path / "a", plan[:3], result(plan[1]))
    again = ran(tmp_path / "b", plan[:3], result(plan[1], outcome=Outcome.UNEXPECTED_FAILURE), result(plan[2]))
    lines = {line.cell: line for line in join(tmp_path / "joined", first, again).read_results()}
    assert lines[plan[2].id].outcome is Outcome.AS_CLAIMED
    assert lines[plan[1].id].outcome is Outcome.UNEXPECTED_FAILURE


def test_a_torn_line_of_a_killed_run_is_passed_over(tmp_path: Path, plan: tuple[Cell, ...]) -> None:
    killed = ran(tmp_path / "a", plan, result(plan[1]))
    with (killed.path / "results.jsonl").open("a") as file:
        file.write('{"cell": "embed')
    assert len(join(tmp_path / "joined", killed).read_results()) == len(plan)


def test_a_run_that_wrote_no_provenance_can_be_joined(tmp_path: Path, plan: tuple[Cell, ...]) -> None:
    killed = ran(tmp_path / "a", plan[:2])
    (killed.path / "run.json").unlink()
    other = ran(tmp_path / "b", plan[2:], result(plan[2]), matrix="default")
    assert join(tmp_path / "joined", killed, other).read_run().matrix == "default"


def test_shards_of_one_command_name_the_command_without_its_shard(tmp_path: Path, plan: tuple[Cell, ...]) -> None:
    one = ran(tmp_path / "a", plan[:2], argv=("conformance", "run", "--shard=1/2", "--keep"))
    other = ran(tmp_path / "b", plan[2:], argv=("conformance", "run", "--shard", "2/2", "--keep"))
    assert join(tmp_path / "joined", one, other).read_run().argv == ("conformance", "run", "--keep")


def test_logs_of_clusters_are_kept_and_handovers_are_not(tmp_path: Path, plan: tuple[Cell, ...]) -> None:
    one = ran(tmp_path / "a", plan)
    one.write_text("clusters/20261121-x/kubelet.log", "died")
    one.write_text("clusters/embedded-1.35.json", "{}")
    joined = join(tmp_path / "joined", one)
    assert {name for name in content(joined.path) if name.startswith("clusters")} == {"clusters/20261121-x/kubelet.log"}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"git_commit": "b"}, "git commit: a and b"),
        ({"rules": "b"}, "rules: a and b"),
        ({"chart": ChartRecord(digest="b")}, "chart: a and b"),
    ],
)
def test_runs_of_different_checkouts_are_refused(
    tmp_path: Path, plan: tuple[Cell, ...], changes: dict[str, object], told: str
) -> None:
    same = {"git_commit": "a", "rules": "a", "chart": ChartRecord(digest="a")}
    with pytest.raises(UsageError, match=told):
        join(
            tmp_path / "joined",
            ran(tmp_path / "k", plan[:1]),
            ran(tmp_path / "a", plan[:2], **same),
            ran(tmp_path / "b", plan[2:], **(same | changes)),
        )


def test_a_cell_with_other_settings_is_refused(tmp_path: Path) -> None:
    other = cell().model_copy(update={"builder": builder(args=("--debug",))})
    with pytest.raises(UsageError, match="its builder or node has other settings"):
        join(tmp_path / "joined", ran(tmp_path / "a", (cell(),)), ran(tmp_path / "b", (other,)))


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path, plan: tuple[Cell, ...]) -> None:
    one = ran(tmp_path / "a", plan)
    with pytest.raises(UsageError, match="holds something that `conformance merge` did not write"):
        join(one.path, one)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("x")
    with pytest.raises(UsageError, match="name another folder"):
        join(tmp_path / "mine", one)
    assert (tmp_path / "mine" / "file").read_text() == "x"
