from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from clusters import interrupts, process, waiting
from clusters.errors import CommandError


def in_thread(work: Callable[[], object]) -> BaseException | None:
    """Run something in a thread whose work is given up once it has begun; return what it raised."""
    event, raised = threading.Event(), list[BaseException]()

    def run() -> None:
        with interrupts.given_up_by(event):
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - handed to the test
                raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    event.set()
    thread.join(30)
    assert not thread.is_alive()
    return raised[0] if raised else None


def test_a_program_is_given_its_input_and_returns_output_and_errors() -> None:
    done = process.run(["sh", "-c", "cat; echo oops >&2; exit 3"], stdin=b"x" * 200_000, check=False)
    assert (done.returncode, len(done.stdout), done.stderr) == (3, 200_000, "oops\n")


def test_a_program_that_takes_too_long_is_ended_and_what_it_said_is_kept() -> None:
    with pytest.raises(CommandError) as caught:
        process.run(["sh", "-c", "echo begun; exec sleep 60"], timeout=0.3)
    assert "begun" in caught.value.output


def test_a_program_in_a_thread_ends_when_its_work_is_given_up() -> None:
    assert isinstance(in_thread(lambda: process.run(["sleep", "60"])), KeyboardInterrupt)
    given = b"x" * 200_000
    assert isinstance(
        in_thread(lambda: process.run(["sh", "-c", "cat; exec sleep 60"], stdin=given)), KeyboardInterrupt
    )


def test_a_program_whose_lines_are_handed_over_ends_when_its_work_is_given_up() -> None:
    said = in_thread(lambda: process.stream(["sh", "-c", "echo begun; exec sleep 60"], on_line=lambda _: None))
    assert isinstance(said, KeyboardInterrupt)


def test_waiting_in_a_thread_ends_when_its_work_is_given_up() -> None:
    said = in_thread(lambda: waiting.until(lambda: None, limit=60, what="nothing"))
    assert isinstance(said, KeyboardInterrupt)


def test_nothing_is_given_up_outside_of_such_a_thread() -> None:
    assert interrupts.check() is False
