from __future__ import annotations

import dataclasses
import os

from clusters import holders
from clusters.provider import Lease


def own() -> Lease:
    return holders.lease_of_this_process(provider="p", name="n", run_id="r", created=0)


def test_a_process_that_runs_is_alive() -> None:
    assert holders.is_alive(own())


def test_a_later_process_with_the_same_pid_is_not_the_holder() -> None:
    assert not holders.is_alive(dataclasses.replace(own(), pid_started=own().pid_started - 1))


def test_a_process_of_an_earlier_boot_is_not_the_holder() -> None:
    assert not holders.is_alive(dataclasses.replace(own(), boot="another"))


def test_a_process_that_ended_but_was_not_waited_for_is_dead() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    try:
        assert holders.started(pid) is None
    finally:
        os.waitpid(pid, 0)


def test_a_pid_that_nobody_has_never_started() -> None:
    assert holders.started(2**22 + 1) is None
