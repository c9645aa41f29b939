from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from conformance import artifacts
from conformance.artifacts import RunFolder, new_run_id
from conformance.errors import UsageError
from conformance.model import Event, Observation, Outcome, Run, Source, SourceKind, Stage, StageReport, StageStatus
from tests.conformance.records import cell, control, failure, result

TOKEN = "ghp_" + "a1B2" * 9


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder.create(tmp_path / "runs")
    made.write_plan([control(), cell(), cell(level="restricted")])
    return made


def observation(*sources: Source, **changes: object) -> Observation:
    values: dict[str, object] = {
        "cell": cell().id,
        "stages": (StageReport(stage=Stage.START, status=StageStatus.FAILED, seconds=1),),
        "sources": sources,
    }
    return Observation.model_validate(values | changes)


def source(text: str, file: str = "logs/buildkitd.log") -> Source:
    return Source(file=file, kind=SourceKind.DAEMON, container="buildkitd", text=text)


def test_run_ids_sort_by_time_and_can_be_names() -> None:
    early = new_run_id(datetime(2026, 11, 21, 4, 12, tzinfo=UTC))
    late = new_run_id(datetime(2026, 11, 21, 14, 2, tzinfo=UTC))
    assert early.startswith("20261121-0412-")
    assert len(early) == len("20261121-0412-ab3f")
    assert early < late
    assert early.replace("-", "").isalnum()
    assert early.islower() or early.replace("-", "").isdigit()


def test_run_ids_of_one_minute_differ() -> None:
    now = datetime(2026, 11, 21, tzinfo=UTC)
    assert len({new_run_id(now) for _ in range(20)}) > 15


def test_latest_points_to_the_newest_run(tmp_path: Path) -> None:
    RunFolder.create(tmp_path)
    newest = RunFolder.create(tmp_path)
    assert (tmp_path / "latest").resolve() == newest.path.resolve()
    assert not (tmp_path / "latest").readlink().is_absolute()


def test_an_id_that_is_taken_is_not_used_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = iter(["20261121-0412-aaaa", "20261121-0412-aaaa", "20261121-0412-bbbb"])
    monkeypatch.setattr(artifacts, "new_run_id", lambda: next(ids))
    assert RunFolder.create(tmp_path).run_id == "20261121-0412-aaaa"
    assert RunFolder.create(tmp_path).run_id == "20261121-0412-bbbb"


def test_a_run_opens_by_id_by_path_and_as_latest(folder: RunFolder) -> None:
    base = folder.path.parent
    for name in (folder.run_id, str(folder.path), "latest"):
        assert RunFolder.open(name, base).run_id == folder.run_id


def test_what_is_no_run_is_told_with_the_runs_there_are(folder: RunFolder) -> None:
    with pytest.raises(UsageError, match=f"nope is no run: .* Runs there: {folder.run_id}"):
        RunFolder.open("nope", folder.path.parent)


def test_no_runs_at_all_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There are no runs in"):
        RunFolder.open("latest", tmp_path)


def test_the_plan_comes_back_as_it_was(folder: RunFolder) -> None:
    assert folder.read_plan() == (control(), cell(), cell(level="restricted"))


def test_results_come_back_in_the_plans_order(folder: RunFolder) -> None:
    lines = result(cell(level="restricted"), outcome=Outcome.WRONG_CLASS, class_="a"), result(control())
    for line in lines:
        folder.append_result(line)
    assert folder.read_results() == (lines[1], lines[0])


def test_a_results_line_has_what_other_programs_read(folder: RunFolder) -> None:
    finding = failure()
    folder.append_result(
        result(class_=finding.class_, layer=finding.layer, stage=Stage.START, evidence=finding.evidence)
    )
    (text,) = (folder.path / "results.jsonl").read_text().splitlines()
    line = json.loads(text)
    assert line["schema_version"] == 1
    assert line["cell"] == "embedded-1.35-baseline-rootless-unset"
    assert {key: line[key] for key in ("cluster", "kubernetes", "level", "builder", "outcome")} == {
        "cluster": "embedded-1.35",
        "kubernetes": "1.35",
        "level": "baseline@latest",
        "builder": "rootless-unset",
        "outcome": "as-claimed",
    }
    assert (line["class"], line["layer"], line["stage"]) == ("rootlesskit-clone-eperm", "rootlesskit", "start")
    assert line["claim"] == "supported"
    assert line["evidence"][0]["line"] == 3
    assert line["seconds"] == 0.0


def test_class_is_null_when_it_builds(folder: RunFolder) -> None:
    folder.append_result(result())
    assert json.loads((folder.path / "results.jsonl").read_text())["class"] is None


def test_each_result_is_on_the_disk_before_the_next_step(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_size))
    folder.append_result(result())
    assert synced == [(folder.path / "results.jsonl").stat().st_size]
    assert synced[0] > 0


def test_half_a_surrogate_pair_in_a_reason_comes_back(folder: RunFolder) -> None:
    written = result(folder.read_plan()[0], reason="said \udc80 and ✔")
    folder.append_result(written)
    assert folder.read_results() == (written,)


def test_the_later_result_of_a_cell_counts(folder: RunFolder) -> None:
    folder.append_result(result(outcome=Outcome.INCONCLUSIVE))
    folder.append_result(result())
    assert [line.outcome for line in folder.read_results()] == [Outcome.AS_CLAIMED]


def test_a_torn_last_line_is_passed_over_and_removed_by_the_next(folder: RunFolder) -> None:
    folder.append_result(result(control()))
    with (folder.path / "results.jsonl").open("a") as file:
        file.write('{"cell": "embedded-1.35-base')
    assert [line.cell for line in folder.read_results()] == [control().id]
    folder.append_result(result())
    assert [line.cell for line in folder.read_results()] == [control().id, cell().id]


def test_a_file_that_is_all_torn_starts_anew(folder: RunFolder) -> None:
    (folder.path / "results.jsonl").write_text('{"cel')
    assert folder.read_results() == ()
    folder.append_result(result())
    assert len(folder.read_results()) == 1


def test_a_damaged_line_in_the_middle_is_told(folder: RunFolder) -> None:
    (folder.path / "results.jsonl").write_text("{}\n[1]\n")
    with pytest.raises(UsageError, match=r"results\.jsonl:1: is damaged"):
        folder.read_results()


def test_a_newer_schema_is_refused(folder: RunFolder) -> None:
    folder.write_run(Run(run_id=folder.run_id, started="now"))
    path = folder.path / "run.json"
    path.write_text(path.read_text().replace('"schema_version": 1', '"schema_version": 99'))
    with pytest.raises(UsageError, match="has schema version 99, not 1"):
        folder.read_run()


def test_every_planned_cell_of_a_killed_run_has_a_result(folder: RunFolder) -> None:
    folder.append_result(result(control()))
    lines = folder.complete_results()
    assert [line.cell for line in lines] == [each.id for each in folder.read_plan()]
    assert [(line.outcome, line.reason) for line in lines[1:]] == [(Outcome.NOT_RUN, "interrupted")] * 2
    assert len(folder.read_results()) == 1


def test_what_never_ran_is_written_with_its_reason(folder: RunFolder) -> None:
    folder.append_result(result())
    filled = folder.fill_not_run("the cluster never came up")
    assert [line.cell for line in filled] == [control().id, cell(level="restricted").id]
    assert len(folder.read_results()) == 3
    assert {line.reason for line in folder.read_results()} == {"", "the cluster never came up"}
    assert folder.fill_not_run("again") == ()


def test_a_runs_provenance_comes_back(folder: RunFolder) -> None:
    run = Run(run_id=folder.run_id, started="2026-11-21T04:12:00Z", argv=("run",), versions={"helm": "v3"})
    folder.write_run(run)
    assert folder.read_run() == run


def test_a_run_killed_before_it_said_what_it_was_is_still_readable(folder: RunFolder) -> None:
    assert folder.read_run() == Run(run_id=folder.run_id, started="")


def test_an_observation_comes_back_as_it_was_written(folder: RunFolder) -> None:
    seen = observation(source("one\ntwo\n"), source("", "logs/app.log"), admitted_pod={"spec": {"hostUsers": False}})
    written = folder.write_observation(cell().id, seen)
    assert written == seen
    assert [each.text for each in written.sources] == ["one\ntwo\n", ""]
    read = folder.read_observation(cell().id)
    assert read == written
    assert read is not None
    assert [each.text for each in read.sources] == ["one\ntwo\n", ""]


def test_each_source_is_a_file_and_not_in_the_record(folder: RunFolder) -> None:
    folder.write_observation(cell().id, observation(source("one\ntwo\n")))
    kept = folder.cell(cell().id)
    assert (kept / "logs" / "buildkitd.log").read_text() == "one\ntwo\n"
    assert "two" not in (kept / "observation.json").read_text()


def test_texts_may_be_left_on_the_disk(folder: RunFolder) -> None:
    folder.write_observation(cell().id, observation(source("one")))
    read = folder.read_observation(cell().id, texts=False)
    assert read is not None
    assert [each.text for each in read.sources] == [""]


def test_a_cell_of_which_nothing_was_seen_has_no_observation(folder: RunFolder) -> None:
    assert folder.read_observation(cell().id) is None


def test_a_try_that_does_not_count_is_kept_apart(folder: RunFolder) -> None:
    folder.write_observation(cell().id, observation(source("first")), attempt=1)
    folder.write_observation(cell().id, observation(source("second")))
    kept = folder.cell(cell().id)
    assert (kept / "tries" / "1" / "logs" / "buildkitd.log").read_text() == "first"
    assert (kept / "logs" / "buildkitd.log").read_text() == "second"


def test_files_of_a_try_do_not_stay_among_those_of_the_next(folder: RunFolder) -> None:
    folder.write_observation(cell().id, observation(source("first"), source("pushed", file="build/push.txt")))
    folder.write_observation(cell().id, observation(source("second")))
    kept = folder.cell(cell().id)
    assert not (kept / "build" / "push.txt").exists()
    assert (kept / "logs" / "buildkitd.log").read_text() == "second"


def test_a_huge_source_is_cut_and_what_is_returned_is_what_was_written(folder: RunFolder) -> None:
    text = "".join(f"line {number}\n" for number in range(400_000))
    (written,) = folder.write_observation(cell().id, observation(source(text))).sources
    on_disk = (folder.cell(cell().id) / "logs" / "buildkitd.log").read_text()
    assert written.text == on_disk
    assert "[cut: " in on_disk
    assert len(on_disk) < len(text)
    assert on_disk.endswith("line 399999\n")


def test_a_huge_message_is_cut(folder: RunFolder) -> None:
    event = Event(type="Warning", reason="r", message="x" * 1_000_000, about="Pod/a")
    written = folder.write_observation(cell().id, observation(events=(event,)))
    assert len(written.events[0].message) < 100_000
    assert folder.read_observation(cell().id) == written


def test_line_ends_and_odd_characters_survive(folder: RunFolder) -> None:
    text = "a\r\nb\rc\x00\x1b[31md\u2028e\ud800\n"
    folder.write_observation(cell().id, observation(source(text)))
    read = folder.read_observation(cell().id)
    assert read is not None
    assert read.sources[0].text == text


@pytest.mark.parametrize("name", ["../outside.log", "/etc/passwd", "a/../../b", ""])
def test_a_source_cannot_leave_its_cells_folder(folder: RunFolder, name: str) -> None:
    with pytest.raises(UsageError, match="does not name a file inside"):
        folder.write_observation(cell().id, observation(source("x", name)))


def test_no_secret_reaches_any_file(folder: RunFolder) -> None:
    folder.write_plan([cell().model_copy(update={"builder": cell().builder.model_copy(update={"args": (TOKEN,)})})])
    folder.write_run(Run(run_id=folder.run_id, started="now", argv=("run", f"--git-context=https://{TOKEN}@h/r.git")))
    folder.append_result(result(reason=f"clone https://u:{TOKEN}@h/r.git failed"))
    event = Event(type="Warning", reason="r", message=f"token={TOKEN}", about="Pod/a")
    pod = {"spec": {"containers": [{"env": [{"name": "GIT_AUTH_TOKEN", "value": TOKEN}]}]}}
    folder.write_observation(
        cell().id,
        observation(source(f"Authorization: Bearer {TOKEN}\n"), events=(event,), admitted_pod=pod, rendered_pod=pod),
    )
    folder.write_text("clusters/kubelet.log", f"password={TOKEN}")
    folder.write_report("matrix.md", f"| {TOKEN} |")
    files = [path for path in folder.path.rglob("*") if path.is_file()]
    assert len(files) == 7
    for path in files:
        assert TOKEN not in path.read_text(), path
        assert "[redacted]" in path.read_text(), path


def test_a_log_is_capped_and_a_report_is_not(folder: RunFolder) -> None:
    text = "line\n" * 1_000_000
    assert "[cut: " in folder.write_text("kubelet.log", text).read_text()
    assert folder.write_report("report.html", text).read_text() == text


def test_half_written_files_are_never_left_under_their_name(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write_run(Run(run_id=folder.run_id, started="first"))

    def fail(self: Path, target: Path) -> Path:
        raise OSError(f"{self} {target}: no space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="no space"):
        folder.write_run(Run(run_id=folder.run_id, started="second"))
    assert folder.read_run().started == "first"
