"""Whole runs on real clusters: claims that turn out false, interruptions, kills, replays."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from clusters import ledger, paths, process, waiting
from clusters.embedded import layout, status
from clusters.embedded.status import State
from conformance import fixtures
from conformance.artifacts import INTERRUPTED, RunFolder
from conformance.model import Outcome, Result, Role
from tests.cluster.leftovers import look
from tests.cluster.runs import BUILDING, SOON, Running, cleared, conformance, start

pytestmark = pytest.mark.cluster

REFUSED = "embedded-1.35-baseline-v1.34-rootless-unconfined"
BUILT = "embedded-1.35-baseline-v1.34-rootless-unset"
POLICY = "baseline@v1.34"


@pytest.fixture(scope="module", autouse=True)
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep clusters and their ledger apart from other people's."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("state")
        patch.setenv("BUILD_CONFORMANCE_STATE_DIR", str(folder))
        yield folder


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """A run that came to its end."""

    running: Running
    exit_code: int
    folder: RunFolder

    def result(self, cell: str) -> Result:
        return next(each for each in self.folder.read_results() if each.cell == cell)


def claim(folder: Path, builder: str, level: str, expect: str) -> None:
    """Change what is claimed of a builder at a level, under whatever conditions, in whichever file says it."""
    changed = 0
    for file in folder.glob("*.toml"):
        blocks = file.read_text().split("[[claims]]\n")
        for number, block in enumerate(blocks):
            lines = block.splitlines()
            if any(line.startswith("probe =") for line in lines):
                # That one is about more than whether it builds.
                continue
            if f'builder = "{builder}"' in lines and any(
                line.startswith("levels =") and f'"{level}"' in line for line in lines
            ):
                kept = [f'expect = "{expect}"' if line.startswith("expect =") else line for line in lines]
                blocks[number] = "\n".join(kept) + "\n\n"
                changed += 1
        file.write_text("[[claims]]\n".join(blocks))
    assert changed


@pytest.fixture(scope="module")
def false_claims(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ended]:
    folder = tmp_path_factory.mktemp("false-claims")
    shutil.copytree(paths.CHECKOUT / "matrices", folder / "matrices")
    claim(folder / "matrices" / "claims", "rootless-unconfined", "baseline", "supported")
    claim(folder / "matrices" / "claims", "rootless-unset", "baseline", "rootlesskit-clone-eperm")
    matrix = folder / "matrices" / "default.toml"
    before = look("nothing-yet")
    words = (f"--matrix={matrix}", f"--psa={POLICY}", "--builder=rootless-unconfined", "--builder=rootless-unset")
    with cleared(start(folder, *words)) as running:
        code = running.end()
        assert look(running.layout.name) == before
        yield Ended(running=running, exit_code=code, folder=running.folder)


def test_a_claim_that_is_false_ends_the_run_with_1(false_claims: Ended) -> None:
    assert false_claims.exit_code == 1, false_claims.running.said
    assert false_claims.result(REFUSED).outcome is Outcome.UNEXPECTED_FAILURE
    assert false_claims.result(BUILT).outcome is Outcome.UNEXPECTED_SUPPORT
    assert "2 cells: 1 unexpected-support, 1 unexpected-failure" in false_claims.running.said


def told(run: Ended, headline: str) -> tuple[str, str, str]:
    """Return what follows a headline: what was claimed, what was seen, and the proof, which must stand where it says.

    The proof is a file below the run's folder, a line of it, and that line's text.
    """
    lines = run.running.said.splitlines()
    where = lines.index(headline)
    claimed, seen, evidence = (line.strip() for line in lines[where + 1 : where + 4])
    place, _, text = evidence.removeprefix("evidence: ").partition(": ")
    file, _, number = place.rpartition(":")
    written = (run.folder.path / file).read_text().splitlines()[int(number) - 1]
    assert " ".join(written.split()).startswith(text.removesuffix("..."))
    return claimed, seen, text


def test_a_refusal_that_was_claimed_supported_is_told_with_the_line_that_proves_it(false_claims: Ended) -> None:
    claimed, seen, proof = told(false_claims, f"unexpected-failure: {REFUSED}")
    assert claimed.startswith("claimed:  supported (")
    assert seen == "seen:     psa-baseline-violation at stage admission, layer admission"
    assert "forbidden: violates PodSecurity" in proof


def test_support_that_was_claimed_refused_is_a_headline_with_the_line_that_proves_it(false_claims: Ended) -> None:
    headline = f"UNEXPECTED SUPPORT: {BUILT} builds, though rootlesskit-clone-eperm is claimed to refuse it"
    claimed, seen, proof = told(false_claims, headline)
    assert claimed.startswith("claimed:  rootlesskit-clone-eperm (")
    assert seen == f"seen:     builds, see {false_claims.folder.cell(BUILT)}"
    # The node ran what had been pushed.
    assert proof == fixtures.addresses().greeting


def test_a_pinned_policy_is_the_one_that_judges(false_claims: Ended) -> None:
    for cell in (REFUSED, BUILT):
        assert false_claims.result(cell).level == POLICY
        observation = false_claims.folder.read_observation(cell)
        assert observation is not None
        assert observation.versions.policy == "v1.34"
    (refusal, *_) = false_claims.result(REFUSED).evidence
    # The namespace's label, in the server's own words.
    assert 'PodSecurity "baseline:v1.34"' in refusal.text


def test_a_run_is_judged_again_from_its_files_as_it_was(false_claims: Ended) -> None:
    done = conformance("replay", false_claims.folder.path, "--all")
    assert done.returncode == 0, done.stdout
    cells = len(false_claims.folder.read_plan())
    assert f"{cells} cells of {false_claims.folder.run_id} judged again: 0 changed, {cells} same" in done.stdout
    # With the claims that are true, the same artefacts are as claimed.
    done = conformance("replay", false_claims.folder.path, "--matrix=default")
    assert done.returncode == 1
    assert "2 changed" in done.stdout
    assert done.stdout.count("as-claimed") == 2


def test_an_edited_rule_shows_in_a_replay(false_claims: Ended, tmp_path: Path) -> None:
    for name in ("clusters", "conformance", "matrices"):
        shutil.copytree(paths.CHECKOUT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    rules = tmp_path / "conformance" / "classify" / "layers" / "admission.py"
    text = rules.read_text()
    assert "PodSecurity" in text
    rules.write_text(text.replace("PodSecurity", "Tod Tecurity").replace('"baseline:', '"toastline:'))
    done = conformance("replay", false_claims.folder.path, cwd=tmp_path)
    assert done.returncode == 1, done.stdout
    assert "1 changed" in done.stdout
    assert f"changed  {REFUSED}\n    was  psa-baseline-violation, unexpected-failure" in done.stdout


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    with ExitStack() as stack:
        yield lambda *words: stack.enter_context(cleared(start(tmp_path, *words)))


def assert_readable(folder: RunFolder, reason: str) -> list[Result]:
    """Say that every planned cell has a result; return those of cells that never ran."""
    results = folder.complete_results()
    assert [each.cell for each in results] == [each.id for each in folder.read_plan()]
    absent = [each for each in results if each.outcome is Outcome.NOT_RUN]
    assert {each.reason for each in absent} == {reason}
    return absent


@pytest.mark.parametrize(
    ("number", "begun"),
    [
        # A terminal sends it to the whole group, workers among them.
        (signal.SIGINT, "the workers' cells"),
        # Somebody ends the controller alone.
        (signal.SIGTERM, "the control cell"),
    ],
)
def test_an_interrupted_run_leaves_nothing_but_its_results(
    run: Callable[..., Running], number: signal.Signals, begun: str
) -> None:
    before = look("nothing-yet")
    running = run(*BUILDING)
    running.wait_for_line("the control cell runs first")
    if begun == "the workers' cells":
        running.wait_for_line("[control]")
    running.wait_for_a_build()
    found = running.layout
    if number is signal.SIGINT:
        process.kill_group(running.child.pid, number)
    else:
        os.kill(running.child.pid, number)
    assert running.end() == 130, running.said
    assert look(found.name) == before
    assert not found.root.exists()
    running.wait_for_its_processes_to_go()
    assert ledger.leases() == ()
    assert (running.folder.path / "results.jsonl").read_text().count("\n") == len(running.folder.read_plan())
    assert assert_readable(running.folder, INTERRUPTED)
    assert running.folder.read_run().interrupted


def test_a_run_killed_in_a_build_is_removed_by_the_janitor_and_stays_readable(run: Callable[..., Running]) -> None:
    before = look("nothing-yet")
    running = run(*BUILDING)
    running.wait_for_line("[control]")
    running.wait_for_a_build()
    process.kill_group(running.child.pid, signal.SIGKILL)
    running.end()
    running.wait_for_its_processes_to_go()
    swept = conformance("janitor")
    assert swept.returncode == 0, swept.stdout + swept.stderr
    assert look(running.layout.name) == before
    assert not running.layout.root.exists()
    shown = conformance("report", f"--run-dir={running.runs}")
    absent = assert_readable(running.folder, INTERRUPTED)
    selected = [each for each in absent if each.role is Role.SELECTED]
    assert selected
    # Partial where a cell had ended, otherwise nothing ran.
    has_ended = len(selected) < len([cell for cell in running.folder.read_plan() if cell.role is Role.SELECTED])
    assert shown.returncode == (2 if has_ended else 4)
    assert f"not-run: {INTERRUPTED}: {', '.join(each.cell for each in selected)}" in shown.stdout
    (control,) = (each for each in running.folder.read_results() if each.role is Role.CONTROL)
    assert control.class_ is None


def test_a_run_killed_while_its_cluster_comes_up_is_removed_by_the_janitor(run: Callable[..., Running]) -> None:
    before = look("nothing-yet")
    running = run(*BUILDING)
    running.wait_for_line("start the node")

    def api_server_has_started() -> bool:
        now = status.read(running.layout.status)
        return now is not None and any(
            step.name == "kube-apiserver" and step.state is not State.WAITING for step in now.steps
        )

    waiting.until(api_server_has_started, limit=SOON, what="the API server to start")
    process.kill_group(running.child.pid, signal.SIGKILL)
    running.end()
    assert look(running.layout.name) != before
    swept = conformance("janitor")
    assert swept.returncode == 0, swept.stdout + swept.stderr
    assert look(running.layout.name) == before
    assert layout.existing() == ()
    shown = conformance("report", f"--run-dir={running.runs}")
    assert shown.returncode == 4
    assert len(assert_readable(running.folder, INTERRUPTED)) == len(running.folder.read_plan())
