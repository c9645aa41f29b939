"""Programs that outlive whoever started them for a cluster."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from clusters import process
from clusters.docker import orphans
from clusters.docker.engines import Engine
from clusters.docker.places import place_of

pytestmark = pytest.mark.usefixtures("state_dir")

PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE)"


def test_what_works_on_a_cluster_is_ended_with_its_children_and_nothing_else_is(tmp_path: Path) -> None:
    mine, other = place_of("kind", "mine"), place_of("kind", "other")
    log = tmp_path / "log"
    wait = [sys.executable, "-c", "import signal; signal.pause()"]
    worker = process.spawn([sys.executable, "-c", PARENT], log=log, env=Engine().environment_for(mine))
    bystander = process.spawn(wait, log=log, env=Engine().environment_for(other))
    try:
        orphans.end(mine)
        worker.wait(10)
        assert orphans.find(mine) == ()
        assert bystander.poll() is None
    finally:
        orphans.end(other)
        bystander.wait(10)


def test_who_removes_is_not_taken_for_an_orphan(monkeypatch: pytest.MonkeyPatch) -> None:
    place = place_of("kind", "mine")
    for name, value in Engine().environment_for(place).items():
        monkeypatch.setenv(name, value)
    assert os.getpid() not in {found.pid for found in orphans.find(place)}
