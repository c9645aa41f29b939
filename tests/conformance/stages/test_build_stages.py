"""The stages that build: what is asked of buildctl, and what makes a green build fail."""

from __future__ import annotations

import hashlib

import pytest

from conformance.errors import ApiError
from conformance.kube import Ran
from conformance.model import Stage
from conformance.stages import CellRun, StageFailedError, build, git, local_copy, local_run, push, run_image
from conformance.tools import DIGEST_MARK
from tests.conformance.stages.scripted import DEAD, HEALTHY, FakeKube, container, pod, terminated, waiting

MANIFEST = '{"schemaVersion": 2}'
DIGEST = f"sha256:{hashlib.sha256(MANIFEST.encode()).hexdigest()}"


def metadata(digest: str) -> Ran:
    return Ran(code=0, output=f"#1 done\n\n{DIGEST_MARK}{digest}\n")


def test_a_failed_build_gives_its_last_line_and_keeps_the_whole_output(kube: FakeKube, cell_run: CellRun) -> None:
    kube.frames, kube.answers = [[HEALTHY]], [Ran(code=1, output="#1 load\nerror: operation not permitted\n\n")]
    with pytest.raises(StageFailedError, match="operation not permitted"):
        local_copy.run(cell_run)
    assert "#1 load" in cell_run.sources[0].text
    assert cell_run.sources[0].stage is Stage.LOCAL_COPY


def test_a_client_whose_daemon_died_is_cut_off(
    kube: FakeKube, cell_run: CellRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "_LOOK_AT_DAEMON_EVERY_SECONDS", 0.0)
    kube.frames, kube.answers = [[DEAD]], [Ran(code=0, output="never")]
    with pytest.raises(StageFailedError, match="cut off"):
        local_copy.run(cell_run)


def test_a_build_that_hangs_is_said_to_hang(kube: FakeKube, cell_run: CellRun) -> None:
    kube.frames, kube.answers = [[HEALTHY]], [Ran(code=None, output="#1 ...\n")]
    with pytest.raises(StageFailedError, match="did not end within 1 s"):
        git.run(cell_run)


def test_a_build_whose_connection_breaks_says_nothing_of_the_builder(kube: FakeKube, cell_run: CellRun) -> None:
    kube.frames, kube.answers = [[HEALTHY]], [Ran(code=None, output="#1 load\n", broken="Connection reset by peer")]
    with pytest.raises(ApiError, match="the API server did not answer to the end of the build: Connection reset"):
        git.run(cell_run)
    assert "#1 load" in cell_run.sources[0].text


def test_a_run_step_must_leave_its_trace(kube: FakeKube, cell_run: CellRun) -> None:
    kube.frames, kube.answers = [[HEALTHY]], [Ran(code=0, output="#5 DONE\n")]
    with pytest.raises(StageFailedError, match="no trace"):
        local_run.run(cell_run)
    kube.answers = [Ran(code=0, output="#5 a step ran as uid 0\n")]
    assert local_run.run(cell_run)


def test_git_builds_the_context_it_was_given(kube: FakeKube, cell_run: CellRun) -> None:
    cell_run.git_context = "https://example.org/repo.git#main:sub"
    kube.frames, kube.answers = [[HEALTHY]], [Ran(code=0, output="")]
    git.run(cell_run)
    assert "context=https://example.org/repo.git#main:sub" in kube.ran[0][2]


def test_a_push_counts_only_when_the_registry_holds_the_digest(kube: FakeKube, cell_run: CellRun) -> None:
    kube.frames, kube.answers = [[HEALTHY]], [metadata(DIGEST), Ran(code=0, output=MANIFEST)]
    assert push.run(cell_run).endswith(DIGEST)
    assert cell_run.pushed_digest == DIGEST
    kube.answers = [metadata(DIGEST), Ran(code=0, output='{"schemaVersion": 3}')]
    with pytest.raises(StageFailedError, match="does not hold it"):
        push.run(cell_run)


def test_a_push_that_reports_no_digest_fails(kube: FakeKube, cell_run: CellRun) -> None:
    kube.frames, kube.answers = [[HEALTHY]], [Ran(code=0, output=f"#9 DONE\n\n{DIGEST_MARK}\n")]
    with pytest.raises(StageFailedError, match="no image digest"):
        push.run(cell_run)


def test_the_pushed_image_must_run_and_say_its_line(kube: FakeKube, cell_run: CellRun) -> None:
    cell_run.pushed_digest = DIGEST
    kube.frames = [[pod(container("pushed-image", terminated(0)), phase="Succeeded")]]
    kube.log = cell_run.fixtures.greeting
    assert DIGEST in run_image.run(cell_run)
    assert kube.created[0]["spec"]["containers"][0]["image"].endswith(f"@{DIGEST}")
    kube.log = "something else"
    with pytest.raises(StageFailedError, match="did not say"):
        run_image.run(cell_run)


def test_a_pushed_image_that_cannot_be_pulled_fails_at_once(kube: FakeKube, cell_run: CellRun) -> None:
    cell_run.pushed_digest = DIGEST
    kube.frames = [[pod(container("pushed-image", waiting("ErrImagePull", "refused")), phase="Pending")]]
    with pytest.raises(StageFailedError, match="ErrImagePull: refused"):
        run_image.run(cell_run)
