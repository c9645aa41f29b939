"""The first process of an embedded cluster's pid namespace: starts the steps in order, reaps, notices who dies.

Run as `python -m clusters.embedded.supervisor ORDERS`. When it ends, the kernel ends everything else in there.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path

from clusters import process
from clusters.embedded import api, inside, probes
from clusters.embedded.orders import Kind, Orders, Step
from clusters.embedded.status import Failure, Phase, State, Status, StepStatus, write
from clusters.errors import ClustersError

#: Seconds between two rounds of looking at what is not ready yet, and when there is nothing left to look at.
BUSY, IDLE = 0.05, 60.0


class Supervisor:
    """The state of all steps. One thread: a round reaps, starts what may start, and looks at what was started."""

    def __init__(self, orders: Orders) -> None:
        """Take the `orders`; nothing is started yet."""
        self._orders = orders
        self._began = time.monotonic()
        self._steps = {step.name: StepStatus(name=step.name, state=State.WAITING) for step in orders.steps}
        self._children: dict[int, tuple[Step, process.Child]] = {}
        self._failure: Failure | None = None
        self._changed = True

    def run(self) -> None:
        """Prepare the surroundings, then go round until the process is told to end."""
        wakeup, _writer = _wake_on_signals()
        write(self._orders.status, self._status())
        try:
            inside.prepare(self._orders)
        except (ClustersError, OSError) as error:
            self._fail("namespaces", str(error))
        while True:
            self._round()
            is_busy = self._failure is None and any(step.state is not State.READY for step in self._steps.values())
            readable, _, _ = select.select([wakeup], [], [], BUSY if is_busy else IDLE)
            if readable and signal.SIGTERM in wakeup.recv(4096):
                return

    def _round(self) -> None:
        self._reap()
        for step in self._orders.steps:
            if self._failure is None:
                self._advance(step)
        if self._changed:
            # Ending would end the whole cluster; on a full disk there may be room again in a later round.
            with suppress(OSError):
                write(self._orders.status, self._status())
                self._changed = False

    def _advance(self, step: Step) -> None:
        now = self._steps[step.name]
        if now.state is State.WAITING and all(self._steps[name].state is State.READY for name in step.needs):
            self._start(step)
        elif now.state is State.STARTED:
            if probes.is_ready(step.ready, self._orders.api):
                self._set(step.name, state=State.READY, ready=self._elapsed())
            elif self._elapsed() - (now.started or 0) > step.ready.limit:
                self._fail(step.name, f"was not ready ({step.ready.kind}) after {step.ready.limit:g} s")

    def _start(self, step: Step) -> None:
        pid: int | None = None
        try:
            if step.argv:
                child = process.spawn(step.argv, log=self._orders.logs / f"{step.name}.log", env=self._orders.env)
                # Kept: nobody but _reap may wait for it.
                pid = child.pid
                self._children[pid] = (step, child)
            for path, body in step.objects:
                api.create(self._orders.api, path, body)
        except ClustersError as error:
            self._fail(step.name, str(error))
            return
        self._set(step.name, state=State.STARTED, started=self._elapsed(), pid=pid)

    def _reap(self) -> None:
        while True:
            try:
                pid, wait_status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in self._children:
                step, child = self._children.pop(pid)
                child.returncode = os.waitstatus_to_exitcode(wait_status)
                self._ended(step, child.returncode)

    def _ended(self, step: Step, code: int) -> None:
        if step.ready.kind is Kind.EXIT and code == 0:
            self._set(step.name, state=State.READY, ready=self._elapsed(), exit_code=code)
            return
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        self._set(step.name, exit_code=code)
        self._fail(step.name, how)

    def _fail(self, name: str, reason: str) -> None:
        self._changed = True
        if name in self._steps:
            self._set(name, state=State.FAILED)
        # The first to die is the one to tell about: others follow.
        self._failure = self._failure or Failure(step=name, reason=reason)

    def _set(self, name: str, **changes: object) -> None:
        self._steps[name] = self._steps[name].model_copy(update=changes)
        self._changed = True

    def _status(self) -> Status:
        steps = tuple(self._steps.values())
        phase = Phase.READY if all(step.state is State.READY for step in steps) else Phase.STARTING
        return Status(phase=Phase.FAILED if self._failure else phase, steps=steps, failure=self._failure)

    def _elapsed(self) -> float:
        return round(time.monotonic() - self._began, 3)


def _wake_on_signals() -> tuple[socket.socket, socket.socket]:
    """Return a socket that becomes readable, with the signal's number, when a child ends or we are told to.

    The second socket is the kernel's end: it must stay open as long as the first is used.
    """
    reader, writer = socket.socketpair()
    reader.setblocking(False)
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    return reader, writer


def main() -> None:
    """Follow the orders in the file that the first argument names."""
    Supervisor(Orders.model_validate_json(Path(sys.argv[1]).read_text())).run()


if __name__ == "__main__":
    main()
