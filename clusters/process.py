"""The only place that starts a process."""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Timer
from typing import IO, NoReturn

from clusters import interrupts
from clusters.errors import CommandError, ProgramMissingError

#: What `spawn` returns.
Child = subprocess.Popen[bytes]

_SPAWNED: list[Child] = []

#: How long a thread whose work may be given up waits for a program before it looks whether it has been.
_LOOK_EVERY_SECONDS = 0.2


@dataclass(frozen=True, kw_only=True, slots=True)
class Completed:
    """A program that ended: its arguments, exit code, standard output and standard error as text."""

    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str


def run(
    argv: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    timeout: float | None = None,
    check: bool = True,
    hint: str = "",
) -> Completed:
    """Run a program to its end and return what it said.

    `env` replaces the environment, `timeout` is in seconds, `hint` is added to the error.
    Raises CommandError when it ends badly (unless `check` is off) or too late, ProgramMissingError when it is absent.
    """
    words = tuple(str(word) for word in argv)
    try:
        code, out, err = _communicate(words, cwd=cwd, env=env, stdin=stdin, timeout=timeout)
    except FileNotFoundError as error:
        raise _not_found(words, cwd) from error
    except subprocess.TimeoutExpired as error:
        raise CommandError(words, None, _text(error.stdout) + _text(error.stderr), hint) from error
    completed = Completed(argv=words, returncode=code, stdout=_text(out), stderr=_text(err))
    if check and completed.returncode != 0:
        raise CommandError(words, completed.returncode, completed.stdout + completed.stderr, hint)
    return completed


def stream(
    argv: Sequence[str | Path],
    *,
    on_line: Callable[[str], None],
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
    hint: str = "",
) -> None:
    """Run a program and hand over each line of its output and errors as it comes. Raises as `run` does.

    The child leads a process group of its own, killed when we are interrupted, when our thread's work is given up, or
    when `timeout` seconds have passed.
    """
    words = tuple(str(word) for word in argv)
    lines: list[str] = []
    child = _popen(words, cwd=cwd, env=env, stdout=subprocess.PIPE)
    timed_out = Event()

    def give_up() -> None:
        timed_out.set()
        kill_group(child.pid)

    watchdog = Timer(timeout, give_up) if timeout is not None else None
    stop_watching = interrupts.when_given_up(lambda: kill_group(child.pid), every=_LOOK_EVERY_SECONDS)
    try:
        if watchdog is not None:
            watchdog.start()
        if child.stdout is not None:
            for raw in child.stdout:
                line = _text(raw).rstrip("\n")
                lines = [*lines[-199:], line]
                on_line(line)
        returncode = child.wait()
    except BaseException:
        kill_group(child.pid)
        child.wait()
        raise
    finally:
        stop_watching()
        if watchdog is not None:
            watchdog.cancel()
        if child.stdout is not None:
            child.stdout.close()
    interrupts.check()
    if returncode != 0:
        raise CommandError(words, None if timed_out.is_set() else returncode, "\n".join(lines), hint)


def spawn(
    argv: Sequence[str | Path], *, log: Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Child:
    """Start a program that goes on without us, in a session of its own, its output appended to `log`."""
    words = tuple(str(word) for word in argv)
    with log.open("ab") as sink:
        child = _popen(words, cwd=cwd, env=env, stdout=sink)
    # Held for good: garbage collection would warn that it still runs.
    _SPAWNED.append(child)
    return child


@atexit.register
def _let_go() -> None:
    """Let those that go on without us go: Popen would warn of each."""
    for child in _SPAWNED:
        if child.poll() is None:
            child.returncode = 0


def replace(argv: Sequence[str | Path], *, env: Mapping[str, str]) -> NoReturn:
    """Become another program (found on PATH); does not return. Raises ProgramMissingError when it is absent."""
    words = tuple(str(word) for word in argv)
    try:
        os.execvpe(words[0], words, dict(env))  # noqa: S606 - argv is a list and never reaches a shell
    except FileNotFoundError as error:
        raise ProgramMissingError(words[0]) from error


def kill_group(pid: int, signal_number: int = signal.SIGKILL) -> None:
    """Send a signal to the process group that `pid` leads; a group that is gone is no error."""
    try:
        os.killpg(pid, signal_number)
    except ProcessLookupError:
        return


def _communicate(
    words: tuple[str, ...],
    *,
    cwd: Path | None,
    env: Mapping[str, str] | None,
    stdin: bytes | None,
    timeout: float | None,
) -> tuple[int, bytes, bytes]:
    """Run a program to its end, or until it has been given up; return its exit code, output and errors."""
    end = None if timeout is None else time.monotonic() + timeout
    with subprocess.Popen(  # noqa: S603 - argv is a list and never reaches a shell
        words,
        cwd=cwd,
        env=env,
        stdin=None if stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as child:
        try:
            while True:
                try:
                    out, err = child.communicate(stdin, timeout=_next_look(end))
                except subprocess.TimeoutExpired:
                    # What was not written yet is remembered, and must not be given again.
                    stdin = None
                    if end is not None and time.monotonic() >= end:
                        raise
                else:
                    return child.returncode, out, err
        except BaseException:
            child.kill()
            raise


def _next_look(end: float | None) -> float | None:
    """Return the seconds until it is too late, or until it is time to see whether the work has been given up."""
    left = None if end is None else max(0.0, end - time.monotonic())
    if not interrupts.check():
        return left
    return _LOOK_EVERY_SECONDS if left is None else min(left, _LOOK_EVERY_SECONDS)


def _popen(
    words: tuple[str, ...], *, cwd: Path | None, env: Mapping[str, str] | None, stdout: int | IO[bytes]
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - argv is a list and never reaches a shell
            words,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise _not_found(words, cwd) from error


def _not_found(words: tuple[str, ...], cwd: Path | None) -> Exception:
    if cwd is not None and not cwd.is_dir():
        return CommandError(words, 127, f"the working directory {cwd} does not exist")
    return ProgramMissingError(words[0])


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode(errors="replace")
