from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from clusters import waiting
from clusters.embedded import status
from clusters.embedded.orders import Api, Kind, Network, Orders, Ready, Step
from clusters.embedded.status import Phase, State, Status
from clusters.embedded.supervisor import Supervisor

LIMIT = 10.0
STAYS = ("sleep", "60")
AT_ONCE = Ready(kind=Kind.NOTHING, limit=LIMIT)
AT_THE_END = Ready(kind=Kind.EXIT, limit=LIMIT)


class Run:
    """A supervisor whose rounds the test turns itself, without namespaces."""

    def __init__(self, folder: Path, *steps: Step) -> None:
        api = Api(host="127.0.0.1", port=1, ca=folder, certificate=folder, key=folder)
        self.path = folder / "status.json"
        self.supervisor = Supervisor(
            Orders(
                hostname="h",
                status=self.path,
                logs=folder,
                env={"PATH": os.environ["PATH"]},
                cgroups=(),
                mounts=(),
                visible=(),
                sysctls={},
                network=Network(peer="p", interface="i", address="a", routes=()),
                api=api,
                steps=steps,
            )
        )

    def until(self, check: Callable[[Status], bool]) -> Status:
        def turn() -> Status | None:
            self.supervisor._round()
            now = status.read(self.path)
            return now if now is not None and check(now) else None

        return waiting.until(turn, limit=LIMIT, what="the supervisor", interval=0.01)

    def end(self) -> None:
        for pid in list(self.supervisor._children):
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def step(name: str, *argv: str, ready: Ready = AT_ONCE, needs: tuple[str, ...] = ()) -> Step:
    return Step(name=name, argv=argv, ready=ready, needs=needs)


def states(now: Status) -> dict[str, State]:
    return {found.name: found.state for found in now.steps}


def test_steps_start_when_what_they_need_is_ready(tmp_path: Path) -> None:
    run = Run(
        tmp_path,
        step("late", "sh", "-c", "test -e first", ready=AT_THE_END, needs=("early",)),
        step("early", "sh", "-c", "sleep 0.2; echo done", ready=AT_THE_END),
    )
    first = run.until(lambda now: states(now)["early"] is State.STARTED)
    assert states(first)["late"] is State.WAITING
    now = run.until(lambda now: states(now)["early"] is State.READY)
    assert (tmp_path / "early.log").read_text() == "done\n"
    assert now.steps[1].exit_code == 0
    run.until(lambda now: states(now)["late"] is not State.WAITING)
    run.end()


def test_the_whole_is_ready_when_every_step_is(tmp_path: Path) -> None:
    run = Run(tmp_path, step("stays", *STAYS), step("ends", "true", ready=AT_THE_END, needs=("stays",)))
    now = run.until(lambda now: now.phase is not Phase.STARTING)
    assert now.phase is Phase.READY
    assert now.failure is None
    run.end()


def test_a_program_that_should_stay_and_dies_is_the_failure_that_is_told(tmp_path: Path) -> None:
    run = Run(tmp_path, step("stays", *STAYS), step("dies", "sh", "-c", "echo last words; exit 7"))
    now = run.until(lambda now: now.phase is Phase.FAILED)
    assert now.failure is not None
    assert (now.failure.step, now.failure.reason) == ("dies", "ended with exit code 7")
    assert status.log_tail(tmp_path, "dies") == "last words"
    assert states(now)["stays"] is not State.FAILED
    run.end()


def test_a_death_long_after_everything_was_ready_is_noticed_with_its_signal(tmp_path: Path) -> None:
    run = Run(tmp_path, step("stays", *STAYS))
    ready = run.until(lambda now: now.phase is Phase.READY)
    pid = ready.steps[0].pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    now = run.until(lambda now: now.phase is Phase.FAILED)
    assert now.failure is not None
    assert now.failure.reason == "was killed by SIGKILL"
    assert now.steps[0].exit_code == -signal.SIGKILL


def test_the_first_to_die_is_told_although_others_follow(tmp_path: Path) -> None:
    run = Run(tmp_path, step("follows", *STAYS), step("first", "false"))
    failed = run.until(lambda now: now.phase is Phase.FAILED)
    pid = failed.steps[0].pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    now = run.until(lambda now: now.steps[0].state is State.FAILED)
    assert now.failure is not None
    assert now.failure.step == "first"


def test_a_task_that_ends_badly_fails_and_nothing_starts_after_it(tmp_path: Path) -> None:
    run = Run(tmp_path, step("task", "false", ready=AT_THE_END), step("next", *STAYS, needs=("task",)))
    now = run.until(lambda now: now.phase is Phase.FAILED)
    assert states(now) == {"task": State.FAILED, "next": State.WAITING}


def test_a_program_that_is_missing_is_a_failure_of_its_step(tmp_path: Path) -> None:
    run = Run(tmp_path, step("absent", "no-such-program"))
    now = run.until(lambda now: now.phase is Phase.FAILED)
    assert now.failure is not None
    assert now.failure.step == "absent"
    assert "no-such-program" in now.failure.reason


def test_a_step_that_is_never_ready_fails_after_its_limit(tmp_path: Path) -> None:
    never = Ready(kind=Kind.SOCKET, target=str(tmp_path / "socket"), limit=0.1)
    run = Run(tmp_path, step("slow", *STAYS, ready=never))
    began = time.monotonic()
    now = run.until(lambda now: now.phase is Phase.FAILED)
    assert time.monotonic() - began < LIMIT
    assert now.failure is not None
    assert "not ready" in now.failure.reason
    run.end()


@pytest.mark.parametrize("text", [None, "", '{"phase": "rea'])
def test_a_status_that_is_not_there_yet_is_none(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "status.json"
    if text is not None:
        path.write_text(text)
    assert status.read(path) is None


def test_a_status_that_cannot_be_written_is_written_when_there_is_room_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(tmp_path, step("one", *STAYS))
    full = OSError(errno.ENOSPC, "No space left on device")
    with monkeypatch.context() as patch:
        patch.setattr("clusters.embedded.supervisor.write", raiser(full))
        run.supervisor._round()
    assert status.read(run.path) is None
    try:
        run.until(lambda now: now.phase is Phase.READY)
    finally:
        run.end()


def raiser(error: Exception) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise error

    return fail
