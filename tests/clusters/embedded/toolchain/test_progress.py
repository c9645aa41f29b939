from __future__ import annotations

import io
from threading import Event

import pytest
from rich.console import Console

from clusters.embedded.toolchain import progress
from clusters.embedded.toolchain.limits import Limits
from clusters.embedded.toolchain.progress import Show, duration


def test_log_of_a_long_step_shows_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LIMITS", Limits(heartbeat=0.01))
    said: list[str] = []
    beats = Event()

    def say(line: str) -> None:
        said.append(line)
        if "half way ..." in line:
            beats.set()

    with Show(say, Console(file=io.StringIO())).step("kubelet", "starting", "built") as step:
        step.detail = "half way"
        assert beats.wait(10)
    assert said[0] == "kubelet: starting"
    assert said[-1].startswith("kubelet: built in ")


def test_plain_lines_come_at_least_every_half_minute() -> None:
    assert Limits().heartbeat <= 30


def test_terminal_has_one_live_line_and_the_caller_only_the_end() -> None:
    screen = io.StringIO()
    said: list[str] = []
    show = Show(said.append, Console(file=screen, force_terminal=True, width=200))
    with show.step("[3/9] kubernetes-1.35 v1.35.4", "building kubelet", "built") as step:
        step.detail = "compiling, 7 of 900 packages"
    assert "[3/9] kubernetes-1.35 v1.35.4: compiling, 7 of 900 packages ..." in screen.getvalue()
    assert len(said) == 1
    assert said[0].startswith("[3/9] kubernetes-1.35 v1.35.4: built in ")


def test_step_that_fails_is_not_said_to_be_done() -> None:
    said: list[str] = []
    with (
        pytest.raises(ValueError, match="broken"),
        Show(said.append, Console(file=io.StringIO())).step("kubelet", "building", "built"),
    ):
        raise ValueError("broken")
    assert said == ["kubelet: building"]


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0s"), (59.4, "59s"), (130, "2m10s"), (600.2, "10m00s")])
def test_durations_read_as_people_say_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text
