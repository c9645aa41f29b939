"""The live view of a terminal: clusters, the cells that run there with their stage, verdicts so far, time left."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from rich.console import Console, Group
from rich.text import Text

from conformance.display.board import OVER, Board, Standing
from conformance.display.words import clock, roughly, tally
from conformance.progress import ClusterState, Running

_STYLES: Final = {
    ClusterState.WAITING: "dim",
    ClusterState.CREATING: "yellow",
    ClusterState.CONTROL: "yellow",
    ClusterState.READY: "green",
    ClusterState.DELETING: "dim",
    ClusterState.GONE: "dim",
    ClusterState.FAILED: "bold red",
    ClusterState.IMPOSSIBLE: "dim",
}
#: Lines of a terminal that stay free for what has been said above.
_FREE: Final = 4


def view(board: Board, running: Mapping[str, Running], console: Console) -> Group:
    """Return the view, no wider and no higher than the terminal."""
    lines = [_summary(board, running), *_clusters(board, running)]
    height = max(1, console.height - _FREE)
    if len(lines) > height:
        hidden = len(lines) - height + 1
        lines = [*lines[: height - 1], Text(f"  and {hidden} more lines", style="dim")]
    for line in lines:
        # One column less than there are: a full line makes some terminals begin another one.
        line.truncate(max(1, console.width - 1), overflow="ellipsis")
        line.no_wrap = True
    return Group(*lines)


def _summary(board: Board, running: Mapping[str, Running]) -> Text:
    text = Text(f"{board.done}/{board.total} cells", style="bold")
    text.append_text(tally(board.outcomes))
    text.append(f"  {clock(time.monotonic() - board.began)}", style="dim")
    left = board.seconds_left(running)
    if left is not None and board.done < board.total:
        text.append(f", about {roughly(left)} left", style="dim")
    return text


def _clusters(board: Board, running: Mapping[str, Running]) -> Iterator[Text]:
    """Yield a line for each cluster something happens to, its running cells below; the others are counted."""
    places: dict[str, list[tuple[str, Running]]] = {}
    for cell, each in running.items():
        if cell in board.cells:
            places.setdefault(board.cells[cell].cluster, []).append((cell, each))
    quiet: Counter[ClusterState] = Counter()
    # So that columns stand still: of all clusters, not of those shown.
    width = max(map(len, board.clusters), default=0)
    for name, standing in board.clusters.items():
        if standing.state in OVER | {ClusterState.WAITING}:
            quiet[standing.state] += 1
            continue
        yield _cluster(name, standing, width)
        for cell, each in places.get(name, ()):
            yield Text.assemble(
                f"    {clock(time.time() - each.since):>5}  {each.stage:<10} ",
                (cell.removeprefix(f"{name}-"), "bold"),
            )
    if quiet:
        counts = ", ".join(f"{quiet[state]} {state}" for state in ClusterState if quiet[state])
        yield Text(f"  {'other ' if len(board.clusters) > quiet.total() else ''}clusters: {counts}", style="dim")


def _cluster(name: str, standing: Standing, width: int) -> Text:
    text = Text.assemble(f"  {name:<{width}}  ", (f"{standing.state:<8}", _STYLES[standing.state]))
    text.append(f"  {standing.outcomes.total()}/{standing.planned}")
    text.append_text(tally(standing.outcomes))
    if standing.state is not ClusterState.READY:
        step = standing.step.partition("\n")[0]
        text.append(f"  {clock(time.monotonic() - standing.since)} {step}", style="dim")
    return text
