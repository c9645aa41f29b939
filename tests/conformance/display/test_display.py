"""What is seen while a run goes on: on a terminal, in a job of GitHub Actions, in a plain log."""

from __future__ import annotations

import io
import re
import threading
from pathlib import Path

import pytest
from rich.console import Console

from conformance import progress
from conformance.artifacts import RunFolder
from conformance.display import Display
from conformance.model import Claim, Outcome, Stage
from conformance.plan import Plan
from conformance.progress import ClusterState
from tests.conformance.records import cell, claim, control, result

ONE, OTHER = cell(), cell(kubernetes="1.36")
PLAN = Plan(matrix="m", cells=(ONE, OTHER), controls=(control(), control("1.36")))
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Screen:
    """A display and what it wrote."""

    def __init__(self, *, terminal: bool, width: int = 100, height: int = 30, claims: tuple[Claim, ...] = ()) -> None:
        self.file = io.StringIO()
        console = Console(
            file=self.file, force_terminal=terminal, width=width, height=height, highlight=False, soft_wrap=True
        )
        self.display = Display(PLAN, claims, console=console)

    def text(self) -> str:
        return ESCAPES.sub("", self.file.getvalue())

    def view(self) -> str:
        """Return the live view alone, as it is now."""
        console = Console(file=(file := io.StringIO()), width=self.display._out.width, soft_wrap=False)
        console.print(self.display._view())
        return file.getvalue()


@pytest.fixture(autouse=True)
def _nowhere_special(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_ACTIONS", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


def test_a_log_gets_a_line_for_everything_and_nothing_that_moves_a_cursor(tmp_path: Path) -> None:
    screen = Screen(terminal=False)
    screen.display.watch(RunFolder.create(tmp_path))
    screen.display.cluster("embedded-1.35", ClusterState.CREATING)
    screen.display.say("embedded-1.35: \x1b[2J::error::creating")
    screen.display.ended(result(ONE))
    screen.display.close()
    lines = screen.file.getvalue().splitlines()
    assert len(lines) == 2
    assert lines[0].endswith("embedded-1.35: \u241b[2J::error::creating")
    assert f"1/2] ✔ as-claimed  {ONE.id}: builds" in lines[1]
    assert "\x1b" not in screen.file.getvalue()


def test_the_live_view_shows_clusters_running_cells_verdicts_and_time_left(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path)
    screen = Screen(terminal=True)
    screen.display.watch(folder)
    screen.display.cluster("embedded-1.35", ClusterState.CREATING)
    screen.display.say("embedded-1.35: starting etcd")
    assert re.search(r"embedded-1\.35 +creating +0/1 +0:00 starting etcd", screen.view())
    assert "clusters: 1 waiting" in screen.view()
    screen.display.cluster("embedded-1.35", ClusterState.READY)
    progress.noting(folder, ONE.id, lambda _: None)(Stage.LOCAL_RUN)
    assert re.search(r"0:00 +local-run +baseline-rootless-unset", screen.view())
    assert re.search(r"0/2 cells.*about \d+ (s|min) left", screen.view())
    screen.display.ended(result(ONE))
    assert "local-run" not in screen.view()
    assert "1/2 cells ✔ 1" in screen.view()
    screen.display.close()
    # It is shown again, and the view's lines are gone.
    assert screen.file.getvalue().count("\x1b[?25l") == screen.file.getvalue().count("\x1b[?25h") == 1
    assert not (folder.path / "progress").exists()


def test_a_cell_that_waits_for_its_cluster_is_not_shown_as_running(tmp_path: Path) -> None:
    screen = Screen(terminal=True)
    screen.display.watch(RunFolder.create(tmp_path))
    screen.display.cluster("embedded-1.35", ClusterState.CREATING)
    assert "rootless-unset" not in screen.view()
    screen.display.close()


@pytest.mark.parametrize(("width", "height"), [(20, 30), (100, 6)])
def test_the_view_fits_its_terminal(tmp_path: Path, width: int, height: int) -> None:
    folder = RunFolder.create(tmp_path)
    screen = Screen(terminal=True, width=width, height=height)
    screen.display.watch(folder)
    for cluster, each in (("embedded-1.35", ONE), ("embedded-1.36", OTHER)):
        screen.display.cluster(cluster, ClusterState.READY)
        progress.noting(folder, each.id, lambda _: None)(Stage.GIT)
    lines = screen.view().splitlines()
    assert len(lines) <= max(5, height - 4)
    assert all(len(line) < width for line in lines)
    screen.display.close()


def test_without_colour_nothing_is_coloured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    screen = Screen(terminal=True)
    screen.display.watch(RunFolder.create(tmp_path))
    screen.display.ended(result(ONE))
    screen.display.close()
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", screen.file.getvalue())


def test_many_threads_may_speak_while_the_view_is_drawn(tmp_path: Path) -> None:
    screen = Screen(terminal=True)
    screen.display.watch(RunFolder.create(tmp_path))
    live = screen.display._live
    assert live is not None

    def speak() -> None:
        for number in range(20):
            screen.display.say(f"embedded-1.35: step {number}")
            screen.display.cluster("embedded-1.35", ClusterState.READY)

    def draw() -> None:
        for _ in range(20):
            live.refresh()

    threads = [threading.Thread(target=each, daemon=True) for each in (speak, draw, speak, draw)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)
    screen.display.close()


def test_a_job_folds_each_cluster_and_annotates_broken_claims_at_their_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    known = claim(origin=f"{tmp_path}/matrices/claims/a.toml:7")
    screen = Screen(terminal=True, claims=(known,))
    display = screen.display
    display.watch(RunFolder.create(tmp_path))
    display.cluster("embedded-1.35", ClusterState.CREATING)
    display.say("embedded-1.35: starting etcd\n ::set-env name=X::y")
    display.say("run 1 ##[warning]x")
    broken = result(ONE, outcome=Outcome.UNEXPECTED_FAILURE, class_="a,b", claim="supported", reason="50%")
    display.ended(broken)
    display.ended(result(OTHER))
    assert "starting etcd" not in screen.text()
    display.cluster("embedded-1.35", ClusterState.GONE)
    assert "starting etcd" in screen.text()
    display.close()
    display.close()
    lines = screen.text().splitlines()
    first = lines.index("::group::embedded-1.35 ✘ 1")
    assert lines[first : first + 4][2] == "|  ::set-env name=X::y"
    assert lines[first + 3] == "::endgroup::"
    assert f"{OTHER.id}: builds" in screen.text().partition("::group::embedded-1.36")[2]
    assert lines[-1] == (
        "::error file=matrices/claims/a.toml,line=7,title=unexpected-failure%3A rootless-unset at baseline@latest"
        f"::{ONE.id}: claimed supported, seen a,b"
    )
    assert "##[" not in screen.text()
    assert sum(line.startswith("::") for line in lines) == 5
