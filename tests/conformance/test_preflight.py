from __future__ import annotations

from pathlib import Path

import pytest

from clusters import providers
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


class Standing:
    """A provider of a cluster that stands already."""

    def __init__(self) -> None:
        self.asked: list[tuple[Path | None, str]] = []

    def kubernetes_line(self, kubeconfig: Path | None, context: str) -> str:
        self.asked.append((kubeconfig, context))
        return "1.34"


@pytest.fixture
def standing(monkeypatch: pytest.MonkeyPatch) -> Standing:
    found = Standing()
    monkeypatch.setattr(preflight, "PROVIDERS", {**providers.PROVIDERS, "existing": found})
    return found


def test_the_line_of_a_cluster_that_stands_is_asked_of_its_server(standing: Standing) -> None:
    request = Request(cluster=("existing",), kubeconfig="k", context="c", psa=("baseline",))
    assert {cell.kubernetes for cell in preflight.check(request).plan} == {"1.34"}
    assert standing.asked == [(Path("k"), "c")]


def test_another_line_than_a_standing_clusters_is_refused(standing: Standing) -> None:
    with pytest.raises(UsageError, match=r"the cluster of 'existing' runs 1\.34"):
        preflight.check(Request(cluster=("existing",), kubernetes=("1.35",)))
    assert standing.asked


def test_a_kubeconfig_for_a_provider_that_makes_its_own_is_refused(standing: Standing) -> None:
    with pytest.raises(UsageError, match="--kubeconfig, --context: that is the cluster of --cluster existing"):
        preflight.check(Request(kubeconfig="k", context="c"))
    assert standing.asked == []


def test_a_budget_is_held_against_the_plan_before_anything_is_created() -> None:
    asked = Request(cluster=("eks",), kubernetes=("1.34",), psa=("baseline",), budget="0.01", ttl="60")
    with pytest.raises(UsageError, match=r"--budget 0\.01: the clusters could cost .*eks-1\.34: 2 h x"):
        preflight.check(asked)
    preflight.check(asked.model_copy(update={"budget": "5"}))
