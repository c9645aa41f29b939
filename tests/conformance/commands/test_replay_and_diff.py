"""`conformance replay` and `conformance diff`, as a person types them."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from clusters.provider import Provenance
from conformance.artifacts import RunFolder
from conformance.claims import conditions_of, load, resolve
from conformance.classify import classify
from conformance.commands.diff import diff_command
from conformance.commands.replay import replay_command
from conformance.errors import UsageError
from conformance.judge import ControlVerdict, judge, result
from conformance.matrix import MATRICES, load_builders
from conformance.model import (
    Cell,
    Level,
    NodeFacts,
    Observation,
    Outcome,
    PsaLevel,
    Role,
    Source,
    SourceKind,
    Stage,
    StageReport,
    StageStatus,
)

LINE = "[rootlesskit:parent] error: failed to start the child: fork/exec /proc/self/exe: operation not permitted\n"
NODE = NodeFacts(seccomp_default=False, apparmor=False)


def cell(builder: str, *, role: Role = Role.SELECTED) -> Cell:
    level = PsaLevel.BASELINE if role is Role.SELECTED else PsaLevel.PRIVILEGED
    return Cell(
        id=f"embedded-1.35-{level}-{builder}",
        provider="embedded",
        kubernetes="1.35",
        level=Level(psa=level),
        builder=load_builders(MATRICES / "builders")[builder],
        role=role,
    )


CELLS = (cell("rootful-privileged", role=Role.CONTROL), cell("rootless-restricted"), cell("rootless-unset"))


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """Return a run as the harness writes it: a control and a cell that build, one that is refused."""
    made = RunFolder.create(tmp_path)
    made.write_plan(CELLS)
    for one in CELLS:
        dies = one.builder.name == "rootless-restricted"
        stages = tuple(
            StageReport(stage=stage, seconds=1, status=_status(stage) if dies else StageStatus.PASSED)
            for stage in Stage
        )
        sources = (Source(file="logs/buildkitd.log", kind=SourceKind.DAEMON, container="buildkitd", text=LINE),)
        seen = made.write_observation(
            one.id, Observation(cell=one.id, stages=stages, sources=sources if dies else (), node_facts=NODE)
        )
        resolution = resolve(load(MATRICES), one, conditions_of(NODE))
        judged = judge(classify(seen), one, resolution, control=ControlVerdict(builds=True))
        line = result(one, classify(seen), resolution, judged, provenance=Provenance.GENUINE, seconds=1)
        made.append_result(line)
    return made


def _status(stage: Stage) -> StageStatus:
    """Return how a stage ends when the daemon dies at its start."""
    order = list(Stage)
    if stage is Stage.START:
        return StageStatus.FAILED
    return StageStatus.PASSED if order.index(stage) < order.index(Stage.START) else StageStatus.NOT_RUN


def run(*arguments: str) -> Result:
    command = {"replay": replay_command, "diff": diff_command}[arguments[0]]
    return CliRunner().invoke(command, list(arguments[1:]))


def test_a_run_replays_to_the_same_verdicts(folder: RunFolder) -> None:
    ended = run("replay", str(folder.path))
    assert ended.exit_code == 0, ended.output
    assert ended.output == f"3 cells of {folder.run_id} judged again: 0 changed, 3 same\n"


def test_latest_is_replayed_when_nothing_is_named(folder: RunFolder) -> None:
    ended = run("replay", "--run-dir", str(folder.path.parent), "--all")
    assert ended.exit_code == 0
    assert "same     embedded-1.35-baseline-rootless-restricted: rootlesskit-clone-eperm, as-claimed" in ended.output


def test_another_log_is_another_verdict(folder: RunFolder) -> None:
    log = folder.cell("embedded-1.35-baseline-rootless-restricted") / "logs" / "buildkitd.log"
    log.write_text("nothing that any rule knows\n")
    ended = run("replay", str(folder.path))
    assert ended.exit_code == 1
    assert "changed  embedded-1.35-baseline-rootless-restricted\n" in ended.output
    assert "    was  rootlesskit-clone-eperm, as-claimed (claimed: rootlesskit-clone-eperm)\n" in ended.output
    assert "inconclusive" in ended.output
    assert ended.output.endswith("1 changed, 2 same\n")


def test_a_matrix_with_other_claims_is_held(folder: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims" / "a.toml").write_text("")
    (tmp_path / "mine.toml").write_text('summary = "s"\ncells = []\n')
    ended = run("replay", str(folder.path), "--matrix", str(tmp_path / "mine.toml"))
    assert ended.exit_code == 1
    assert "unclaimed (claimed: nothing) - no claim is made for this builder at this level" in ended.output


@pytest.mark.parametrize("arguments", [("replay", "nope"), ("diff", "nope", "nope")])
def test_what_is_no_run_is_told(arguments: tuple[str, ...], tmp_path: Path) -> None:
    ended = run(*arguments, "--run-dir", str(tmp_path))
    assert isinstance(ended.exception, UsageError)
    assert "nope is no run" in str(ended.exception)


def test_runs_alike_have_no_difference(folder: RunFolder) -> None:
    ended = run("diff", folder.run_id, "latest", "--run-dir", str(folder.path.parent))
    assert ended.exit_code == 0
    assert ended.output == "no axis changed\n3 cells compared: 0 changed\n"


def test_a_changed_verdict_is_told_with_its_axes_and_evidence(folder: RunFolder, tmp_path: Path) -> None:
    other = RunFolder.create(tmp_path)
    other.write_plan(CELLS[:2])
    for one in CELLS[:2]:
        seen = folder.read_observation(one.id)
        assert seen is not None
        other.write_observation(one.id, seen.model_copy(update={"node_facts": NodeFacts(kernel="6.19")}))
    before = folder.read_results()[1]
    other.append_result(before.model_copy(update={"outcome": Outcome.WRONG_CLASS, "class_": "oom-killed"}))
    ended = run("diff", str(folder.path), str(other.path))
    assert ended.exit_code == 1
    assert "changed  embedded-1.35-baseline-rootless-restricted\n" in ended.output
    assert "    before  rootlesskit-clone-eperm, as-claimed\n    after   oom-killed, wrong-class\n" in ended.output
    assert "    with it changed: kernel, node conditions\n" in ended.output
    assert "    evidence: cells/embedded-1.35-baseline-rootless-restricted/logs/buildkitd.log:1: " in ended.output
    assert "kernel (2 cells): unknown -> 6.19\n" in ended.output
    assert "only in BEFORE: embedded-1.35-baseline-rootless-unset\n" in ended.output


@pytest.mark.parametrize("command", ["replay", "diff"])
def test_help_shows_examples_and_exit_codes(command: str) -> None:
    text = run(command, "--help").output
    assert "Examples:" in text
    assert "Exit codes:" in text
