"""Whole runs through the command line, as processes of their own."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from clusters import paths, process, waiting
from clusters.embedded import layout
from clusters.embedded.layout import Layout, layout_of
from clusters.embedded.provider import EmbeddedProvider
from conformance.artifacts import RunFolder
from conformance.model import ClusterKey
from conformance.standing import cluster_name
from tests.cluster.leftovers import commands_in

LINE = "1.35"

#: Cells that build, so that one is soon seen at it, and one more than run at once.
BUILDING = (
    "--psa=privileged",
    "--builder=rootful-privileged",
    "--builder=rootless-unconfined",
    "--builder=rootless-unset",
    "-n2",
)

#: Seconds for what takes one or two, and for a whole run, on a machine that has other things to do.
SOON, LATER = 120.0, 600.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Running:
    """A `conformance run` under way; it leads a session and a process group of its own."""

    child: process.Child
    log: Path
    runs: Path

    @property
    def said(self) -> str:
        return self.log.read_text()

    @property
    def folder(self) -> RunFolder:
        return RunFolder.open("latest", self.runs)

    @property
    def layout(self) -> Layout:
        return layout_of(cluster_name(self.folder.run_id, ClusterKey(provider="embedded", kubernetes=LINE)))

    def wait_for_its_processes_to_go(self) -> None:
        """Wait until neither the controller nor a worker is left, nor what they started."""
        waiting.until(lambda: not any(self._in_its_session(each) for each in psutil.pids()), limit=SOON, what="that")

    def _in_its_session(self, pid: int) -> bool:
        try:
            return os.getsid(pid) == self.child.pid and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        except (OSError, psutil.Error):
            return False

    def wait_for_line(self, text: str) -> None:
        def said() -> bool:
            assert self.child.poll() is None, self.said
            return text in self.said

        waiting.until(said, limit=LATER, what=f"{text!r} to be said")

    def wait_for_a_build(self) -> None:
        """Wait until a build client runs in a pod of the cluster."""
        waiting.until(lambda: any("buildctl build" in each for each in commands_in(self.layout)), limit=SOON, what="it")

    def end(self) -> int:
        """Wait for its end and return its exit code."""
        return self.child.wait(LATER)


def start(folder: Path, *words: str) -> Running:
    """Start a run that keeps everything below a folder."""
    log, runs = folder / "run.log", folder / "runs"
    command = [sys.executable, "-m", "conformance", "run", f"--run-dir={runs}", *words]
    return Running(child=process.spawn(command, log=log, cwd=paths.CHECKOUT), log=log, runs=runs)


def conformance(*words: str | Path, cwd: Path = paths.CHECKOUT) -> process.Completed:
    """Run another command of the program to its end."""
    return process.run([sys.executable, "-m", "conformance", *words], cwd=cwd, check=False, timeout=LATER)


@contextmanager
def cleared(running: Running) -> Iterator[Running]:
    """Kill what is left of a run and delete its clusters, whatever happened."""
    try:
        yield running
    finally:
        process.kill_group(running.child.pid, signal.SIGKILL)
        running.child.wait(SOON)
        # Its own alone: others may have clusters here.
        own = tuple(path.name for path in running.runs.glob("*-*"))
        for left in layout.existing():
            if left.name.startswith(own):
                EmbeddedProvider().delete(left.name)
