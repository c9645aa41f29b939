from __future__ import annotations

from pathlib import Path

import pytest

from conformance import preflight
from conformance.errors import UsageError
from conformance.options import Request


def test_the_default_request_holds_together_and_every_cell_has_a_claim() -> None:
    checked = preflight.check(Request())
    claimed = {(claim.builder, level) for claim in checked.claims for level in claim.levels}
    assert len(checked.plan.cells) == 21
    assert {(cell.builder.name, cell.level.psa) for cell in checked.plan.cells} <= claimed


@pytest.mark.parametrize(
    "context",
    [
        "https://example.org/repo.git#main:app",
        "http://git/hello.git",
        "git://host/hello.git#v1",
        "git@example.org:team/repo.git",
        "ssh://git@example.org/repo.git",
        "github.com/owner/repo",
    ],
)
def test_git_contexts_as_buildkit_takes_them_are_accepted(context: str) -> None:
    assert preflight.check(Request(git_context=context)).request.git_context == context


@pytest.mark.parametrize("context", ["not a url", "./folder", "/srv/x", "https://host/a b", "ftp://host/repo.git"])
def test_other_contexts_are_refused_with_an_example(context: str) -> None:
    with pytest.raises(UsageError, match=r"--git-context.*https://host/repo\.git"):
        preflight.check(Request(git_context=context))


def test_a_run_dir_below_a_file_is_refused_and_nothing_is_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="--run-dir"):
        preflight.check(Request(run_dir=tmp_path / "file" / "runs"))
    preflight.check(Request(run_dir=tmp_path / "new" / "runs"))
    assert not (tmp_path / "new").exists()


def test_faults_of_different_options_come_together(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        preflight.check(Request(psa=("baselin",), git_context="x", chart=str(tmp_path)))
    told = str(caught.value)
    assert "--psa" in told
    assert "--git-context" in told
    assert "--chart" in told
