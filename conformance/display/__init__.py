"""What a person sees while a run goes on, on standard error so that standard output stays the result.

On a terminal: lines that stay, and a live view under them. In a job of GitHub Actions: few lines, each cluster's own
in a group once it is over, annotations at the end. Elsewhere: a line for everything that happens.
"""

from __future__ import annotations

import atexit
import time
from collections.abc import Sequence
from threading import RLock
from typing import Final

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from conformance import progress
from conformance.artifacts import RunFolder
from conformance.display import actions, live, words
from conformance.display.board import OVER, Board
from conformance.model import Claim, Result
from conformance.plan import Plan
from conformance.progress import ClusterState

__all__ = ["Display", "result_console"]

#: Columns where there is no terminal to ask: a log is read with room to spare.
_LOG_WIDTH: Final = 160
#: The live view shows seconds; more often would only cost the cells their processor.
_REFRESHES_PER_SECOND: Final = 2


def result_console() -> Console:
    """Return the console that results go to: standard output."""
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = _LOG_WIDTH
    return console


class Display:
    """Progress of one run. Safe to call from any thread."""

    def __init__(self, plan: Plan, claims: Sequence[Claim] = (), *, console: Console | None = None) -> None:
        """Show the cells of a plan; `console` in place of standard error."""
        self.console = result_console()
        self._out = console or Console(stderr=True, highlight=False, soft_wrap=True)
        self._board = Board(plan, claims)
        self._lock = RLock()
        self._folder: RunFolder | None = None
        self._live: Live | None = None
        #: In a job of GitHub Actions: each cluster's lines until it is over.
        self._in_actions = actions.are_running()
        self._held: dict[str, list[str]] | None = {} if self._in_actions else None

    def watch(self, folder: RunFolder) -> None:
        """Show where the cells of this run are from now on; on a terminal, begin the live view."""
        progress.clear(folder)
        with self._lock:
            self._folder = folder
            if self._held is None and self._out.is_terminal and not self._out.is_dumb_terminal:
                self._live = Live(
                    get_renderable=self._view,
                    console=self._out,
                    refresh_per_second=_REFRESHES_PER_SECOND,
                    transient=True,
                )
                self._live.start()
                # Whatever ends the process, the cursor comes back.
                atexit.register(self.close)

    def say(self, text: str) -> None:
        """Show a line, with the time since the run began."""
        with self._lock:
            cluster = self._board.said(text)
        self._show(words.line(text, elapsed=self._elapsed()), cluster)

    def cluster(self, name: str, state: ClusterState) -> None:
        """Show how far a cluster is."""
        with self._lock:
            self._board.cluster(name, state)
            if self._held is not None and state in OVER:
                self._let_go(name)
            elif self._held is not None and state is ClusterState.CREATING:
                self._show(words.line(f"{name}: {state}", elapsed=self._elapsed()))

    def ended(self, result: Result) -> None:
        """Show a cell's verdict."""
        with self._lock:
            self._board.ended(result)
            done, total = self._board.done, self._board.total
        if self._folder is not None:
            progress.forget(self._folder, result.cell)
        text = words.verdict(result, done=done, total=total, elapsed=self._elapsed())
        self._show(text, None if result.breaks_claim else result.cluster)

    def close(self) -> None:
        """Take the live view away, or show what is held back; what is said later still stays. Twice is as once."""
        with self._lock:
            ending, self._live = self._live, None
            for name in tuple(self._held or ()):
                self._let_go(name)
            if self._held is not None:
                self._held = None
                results = tuple(self._board.results.values())
                for line in actions.annotate(results, self._board.cells, self._board.claims):
                    self._raw(line)
        if ending is not None:
            # Not under the lock: its thread may be drawing, and waits for it.
            ending.stop()
            atexit.unregister(self.close)
        if self._folder is not None:
            progress.clear(self._folder)

    def _show(self, text: Text, cluster: str | None = None) -> None:
        """Print a line; in a job of GitHub Actions one about a cluster waits for the cluster's end."""
        with self._lock:
            if self._held is not None and cluster is not None:
                self._held.setdefault(cluster, []).append(text.plain)
                return
            if self._in_actions:
                self._raw(actions.inert(text.plain))
                return
        # Not under the lock: the live view's thread holds the console while it asks for the view.
        self._out.print(text)

    def _let_go(self, cluster: str) -> None:
        held = self._held.pop(cluster, None) if self._held is not None else None
        if held:
            counts = (
                words.tally(self._board.clusters[cluster].outcomes).plain if cluster in self._board.clusters else ""
            )
            self._raw(actions.group(f"{cluster}{counts}", held))

    def _raw(self, text: str) -> None:
        self._out.print(Text(text), soft_wrap=True)

    def _view(self) -> Group:
        with self._lock:
            running = progress.running(self._folder) if self._folder is not None else {}
            return live.view(self._board, running, self._out)

    def _elapsed(self) -> float:
        return time.monotonic() - self._board.began
