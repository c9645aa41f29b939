from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from conformance.artifacts import RunFolder
from conformance.model import Evidence, Outcome, ProbeResult, Result
from conformance.plan import Plan
from conformance.report import console
from tests.conformance.records import cell, claim, control, failure, result


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder.create(tmp_path)
    made.write_plan([control(), cell(), cell(level="restricted"), cell("b")])
    return made


def shown(folder: RunFolder, *results: Result, encoding: str = "utf-8") -> str:
    for line in results:
        folder.append_result(line)
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding=encoding, errors="strict") as sink:
        console.show(folder, Console(file=sink, width=200, highlight=False, soft_wrap=True))
        sink.flush()
        return raw.getvalue().decode(encoding)


def row(text: str, builder: str) -> list[str]:
    line = next(line for line in text.splitlines() if builder in line and ("│" in line or "|" in line))
    return [part.strip() for part in line.replace("│", "|").strip("| ").split("|")]


def test_the_matrix_says_in_words_what_was_seen(folder: RunFolder) -> None:
    refused = result(cell(level="restricted"), class_="psa-restricted-violation")
    text = shown(folder, result(control()), result(), refused)
    assert row(text, "rootless-unset") == ["rootless-unset", "✔ builds", "✘ psa-restricted-violation"]
    assert row(text, "│ b ") == ["b", "- not run"]
    assert f"control (not counted): ✔ builds  {control().id}" in text
    assert "3 cells: 2 as-claimed, 1 not-run" in text
    assert str(folder.path) in text


def test_a_broken_claim_shows_cell_claim_what_was_seen_and_the_line_that_proves_it(folder: RunFolder) -> None:
    broken = result(
        outcome=Outcome.UNEXPECTED_FAILURE,
        class_="rootlesskit-clone-eperm",
        layer="rootlesskit",
        stage="start",
        claim_source="seen by hand",
        evidence=failure().evidence,
    )
    text = shown(folder, broken)
    assert "✘ rootlesskit-clone-eperm (unexpected-failure)" in text
    assert (
        "unexpected-failure: embedded-1.35-baseline-rootless-unset\n"
        "    claimed:  supported (seen by hand)\n"
        "    seen:     rootlesskit-clone-eperm at stage start, layer rootlesskit\n"
        "    evidence: cells/embedded-1.35-baseline-rootless-unset/logs/buildkitd.log:3: "
        "fork/exec: operation not permitted\n"
    ) in text


def test_unexpected_support_is_a_headline(folder: RunFolder) -> None:
    text = shown(folder, result(outcome=Outcome.UNEXPECTED_SUPPORT, claim="psa-baseline-violation"))
    assert (
        "UNEXPECTED SUPPORT: embedded-1.35-baseline-rootless-unset builds, "
        "though psa-baseline-violation is claimed to refuse it"
    ) in text


def test_doubts_say_why_and_show_their_evidence(folder: RunFolder) -> None:
    doubt = result(
        outcome=Outcome.INCONCLUSIVE, class_="disk-full", reason="it is infrastructure", evidence=failure().evidence
    )
    text = shown(folder, doubt)
    assert "inconclusive: embedded-1.35-baseline-rootless-unset: it is infrastructure" in text
    assert "logs/buildkitd.log:3: fork/exec" in text
    assert "not-run: interrupted" in text


def test_cells_that_did_not_run_for_one_reason_share_a_line(folder: RunFolder) -> None:
    lines = [line for line in shown(folder, result()).splitlines() if line.startswith("not-run: ")]
    assert lines == ["not-run: interrupted: embedded-1.35-restricted-rootless-unset, embedded-1.35-baseline-b"]


def test_a_control_that_does_not_build_shows_why(folder: RunFolder) -> None:
    bad = result(control(), outcome=Outcome.INCONCLUSIVE, class_="disk-full", evidence=failure().evidence)
    text = shown(folder, bad)
    assert "control (not counted): ? disk-full (inconclusive)" in text
    assert f"cells/{control().id}/logs/buildkitd.log:3" in text


def test_flakes_are_shown(folder: RunFolder) -> None:
    assert "tried 2 times: embedded-1.35-baseline-rootless-unset: first disk-full" in shown(
        folder, result(tries=("disk-full",))
    )


def test_a_terminal_without_unicode_shows_everything(folder: RunFolder) -> None:
    text = shown(folder, result(), result(cell(level="restricted"), class_="psa-x"), encoding="ascii")
    assert row(text, "rootless-unset") == ["rootless-unset", "+ builds", "x psa-x"]


def test_markup_in_evidence_is_shown_and_not_obeyed(folder: RunFolder) -> None:
    text = shown(
        folder, result(outcome=Outcome.INCONCLUSIVE, class_="x", reason="[bold]said[/bold] [rootlesskit:parent]")
    )
    assert "[bold]said[/bold] [rootlesskit:parent]" in text


def test_the_plan_lists_its_cells_and_the_time_they_take() -> None:
    sink = io.StringIO()
    made = Plan(matrix="m", cells=(cell(), cell("b")), controls=(control(),))
    console.show_plan(made, Console(file=sink, width=200), claims=[claim()], workers=2)
    lines = sink.getvalue().splitlines()
    assert lines[0] == f"{control().id}  (control, not counted)"
    assert lines[1:3] == [cell().id, cell("b").id]
    assert lines[3].startswith("2 cells on 1 cluster, about ")
    assert lines[3].endswith(" s once everything is built")


KILLED = ProbeResult(
    probe="kill",
    outcome=Outcome.UNEXPECTED_FAILURE,
    found="step-can-kill-daemon",
    claim="holds",
    claim_source="seen by hand",
    detail="the daemon was started anew",
    reason="it is claimed to hold, but step-can-kill-daemon was found",
    evidence=(Evidence(file="observation.json", line=0, text="daemon_restarted = True"),),
)


def test_a_broken_claim_of_a_probe_is_shown_with_what_proves_it_though_its_cell_is_as_claimed(
    folder: RunFolder,
) -> None:
    held = ProbeResult(probe="gc", outcome=Outcome.AS_CLAIMED, found="holds", claim="holds")
    text = shown(folder, result().model_copy(update={"probes": (held, KILLED)}))
    assert f"probe gc: holds: {cell().id}" in text
    assert f"probe kill: step-can-kill-daemon (unexpected-failure): {cell().id}" in text
    assert f"unexpected-failure: {cell().id}, probe kill" in text
    assert "claimed:  holds (seen by hand)" in text
    assert f"evidence: cells/{cell().id}/observation.json: daemon_restarted = True" in text
    assert "2 probes: 1 as-claimed, 1 unexpected-failure" in text
