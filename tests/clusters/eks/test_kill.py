"""A creation whose process is killed at some call; that call still arrives. Another process removes what was made."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable

import pytest

from clusters import janitor, ledger, process
from clusters.errors import CommandError
from clusters.janitor import Fate
from clusters.paths import CHECKOUT
from tests.clusters.eks.conftest import Cloud

CREATE = """
import sys
from clusters.eks.pace import Pace
from clusters.eks.provider import EksProvider
from clusters.provider import ClusterSpec

spec = ClusterSpec(name=sys.argv[1], run_id="killed", kubernetes="1.34", images=frozenset())
EksProvider(pace=Pace(interval=0.01, settle=0.01)).create(spec, print)
"""

REMOVE = """
import sys
from clusters.eks.pace import Pace
from clusters.eks.provider import EksProvider

EksProvider(pace=Pace(interval=0.01, settle=0.01)).delete(sys.argv[1])
"""


def killer(cloud: Cloud, at: str) -> Callable[[str], None]:
    """Return what kills the process that holds the lease when it makes a certain call."""
    done = threading.Event()

    def kill(operation: str) -> None:
        if operation == at and not done.is_set():
            done.set()
            lease = ledger.find("eks", cloud.name)
            assert lease is not None
            assert lease.pid != os.getpid()
            os.kill(lease.pid, signal.SIGKILL)

    return kill


@pytest.mark.parametrize("at", ["create_role", "create_route_table", "create_cluster", "create_nodegroup"])
def test_the_janitor_removes_what_a_killed_creation_left(cloud: Cloud, at: str) -> None:
    cloud.wire.reset()
    cloud.wire.on_change.append(killer(cloud, at))
    with pytest.raises(CommandError) as error:
        run(CREATE, cloud)
    assert error.value.returncode == -signal.SIGKILL
    assert cloud.wire.calls[-1] == at
    cloud.wire.on_change.clear()
    assert cloud.left()
    findings = janitor.sweep({"eks": cloud.provider})
    assert [(finding.fate, finding.what) for finding in findings] == [(Fate.REMOVED, f"cluster {cloud.name}")]
    assert cloud.left() == frozenset()
    assert janitor.sweep({"eks": cloud.provider}) == ()


def test_a_removal_that_was_killed_is_finished_by_the_next(one_connection: Cloud) -> None:
    cloud = one_connection
    cloud.create()
    cloud.wire.reset()
    pids: list[int] = []

    def kill(operation: str) -> None:
        if operation == "delete_subnet" and not pids:
            pids.append(removing.pid)
            removing.kill()

    cloud.wire.on_change.append(kill)
    removing = process.spawn(command(REMOVE, cloud), log=cloud.log, cwd=CHECKOUT)
    assert removing.wait(timeout=120) == -signal.SIGKILL
    cloud.wire.on_change.clear()
    assert cloud.left()
    assert ledger.find("eks", cloud.name) is not None
    cloud.provider.delete(cloud.name)
    assert cloud.left() == frozenset()


def run(script: str, cloud: Cloud) -> None:
    process.run(command(script, cloud), cwd=CHECKOUT, timeout=240)


def command(script: str, cloud: Cloud) -> list[str]:
    return [sys.executable, "-c", script, cloud.name]
