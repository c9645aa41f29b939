"""Cut a plan into shards that take about the same time, each run by a job of its own; merging joins them again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from heapq import heapreplace
from itertools import chain
from pathlib import Path
from typing import Final

from conformance.errors import UsageError
from conformance.estimate import Durations, cell_seconds, cluster_seconds, load_durations
from conformance.model import SCHEMA_VERSION, Cell, Claim, ClusterKey, Record, Result, Role, Run
from conformance.nearest import unknown
from conformance.options import WORKERS
from conformance.plan import Plan

_SHARD: Final = re.compile(r"([1-9]\d*)/([1-9]\d*)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Costs:
    """How long things take, in seconds."""

    cell: Callable[[Cell], float]
    #: To create a cluster and run its control cell, before any other cell can run.
    setup: Callable[[ClusterKey], float]
    #: How many cells a job runs at once.
    workers: int = WORKERS

    def of(self, cells: Sequence[Cell]) -> float:
        """Return how long the cells of one cluster take once it is up: none takes less than its longest cell."""
        seconds = [self.cell(cell) for cell in cells]
        return max(sum(seconds) / max(self.workers, 1), max(seconds, default=0.0))


class Shard(Record):
    """What one job runs."""

    #: Counted from 1, and how many were asked for; the last ones are missing where more would not shorten it.
    index: int
    of: int
    #: How long it is likely to take.
    seconds: float
    clusters: tuple[str, ...]
    providers: tuple[str, ...]
    #: Ids, in the plan's order; control cells go with their clusters by themselves.
    cells: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return what `--shard` takes."""
        return f"{self.index}/{self.of}"


class Sharded(Record):
    """What `conformance plan --format json` prints: every planned cell, and which shard has it."""

    schema_version: int = SCHEMA_VERSION
    matrix: str
    shards: tuple[Shard, ...]
    #: Control cells among them: each shard runs those of its own clusters.
    cells: tuple[Cell, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Piece:
    """Cells of one cluster that stay together."""

    cluster: str
    cells: tuple[Cell, ...]
    seconds: float
    setup: float


@dataclass(slots=True)
class _Load:
    """A shard while it is filled."""

    cells: dict[str, list[Cell]] = field(default_factory=dict)
    seconds: float = 0.0

    def end_with(self, piece: _Piece) -> float:
        """Return when it would be done with another piece: a cluster that stands already costs nothing more."""
        return self.seconds + piece.seconds + (0.0 if piece.cluster in self.cells else piece.setup)


def costs(
    plan: Plan,
    claims: Sequence[Claim],
    *,
    durations: Durations | None = None,
    recorded: Iterable[tuple[Run, Sequence[Result]]] = (),
) -> Costs:
    """Return what a plan's cells and clusters cost: as recorded, the newest run first, else by the tables."""
    table = durations or load_durations()
    cells: dict[str, float] = {}
    clusters: dict[str, float] = {}
    for run, results in sorted(recorded, key=lambda item: (item[0].started, item[0].run_id)):
        cells |= {result.cell: result.seconds for result in results if result.seconds > 0}
        clusters |= {cluster.cluster: cluster.seconds for cluster in run.clusters if cluster.seconds > 0}
    known = {cell.id: cells[cell.id] if cell.id in cells else cell_seconds(cell, claims, table) for cell in plan}
    controls = {cell.cluster: known[cell.id] for cell in plan.controls}
    setup = {
        key.name: clusters.get(key.name, cluster_seconds(key.provider, table)) + controls[key.name]
        for key in plan.clusters
    }
    return Costs(cell=lambda cell: known[cell.id], setup=lambda key: setup[key.name])


def shards(plan: Plan, count: int, prices: Costs) -> tuple[Shard, ...]:
    """Cut a plan into at most `count` shards, none of them empty: the same plan and prices give the same shards.

    Each cluster starts as one piece; pieces go longest first to the job that is done first. Then the cluster that makes
    the slowest job slow is cut into one piece more, as long as that makes the slowest job faster.
    """
    groups: dict[str, list[Cell]] = {}
    for cell in plan.cells:
        groups.setdefault(cell.cluster, []).append(cell)
    for cells in groups.values():
        # Longest first: what is dealt out last evens out what came before.
        cells.sort(key=lambda cell: (-prices.cell(cell), cell.id))

    @cache
    def deal(name: str, number: int) -> tuple[_Piece, ...]:
        return tuple(_deal(groups[name], number, prices))

    numbers = dict.fromkeys(groups, 1)
    current = best = _pack([deal(name, number) for name, number in numbers.items()], count)
    idle = 0
    while idle < count and (slow := _slowest(current, groups, numbers, count)) is not None:
        numbers[slow] += 1
        current = _pack([deal(name, number) for name, number in numbers.items()], count)
        idle += 1
        if _longest(current) < _longest(best):
            best, idle = current, 0
    position = {cell.id: number for number, cell in enumerate(plan.cells)}
    filled = sorted(
        (load for load in best if load.cells),
        key=lambda load: min(position[cell.id] for cells in load.cells.values() for cell in cells),
    )
    return tuple(_shard(load, index, count, position) for index, load in enumerate(filled, start=1))


def select(plan: Plan, claims: Sequence[Claim], *, shard: str = "", cells: str = "") -> Plan:
    """Return the part of a plan that `--shard I/N` or `--cells FILE` names, with the control cells of its clusters.

    A shard follows from the plan, its claims and `matrices/durations.toml` alone, so that every machine cuts alike.
    Raises UsageError when there is no such shard, or the file names what is not in the plan.
    """
    if shard and cells:
        raise UsageError("--shard and --cells each say which cells run: give one of them")
    if cells:
        return _only(plan, _read_cells(Path(cells), plan))
    if not shard:
        return plan
    match = _SHARD.fullmatch(shard)
    if match is None or int(match[1]) > int(match[2]):
        raise UsageError(f"--shard: {shard!r} is no shard: write such as 2/3, the second of three")
    index, count = int(match[1]), int(match[2])
    made = shards(plan, count, costs(plan, claims))
    if index > len(made):
        raise UsageError(
            f"--shard: {shard} has no cell: more than {len(made)} would not shorten it, as `conformance plan` shows"
        )
    return _only(plan, made[index - 1].cells)


def _only(plan: Plan, ids: Iterable[str]) -> Plan:
    wanted = set(ids)
    cells = tuple(cell for cell in plan.cells if cell.id in wanted)
    clusters = {cell.cluster for cell in cells}
    controls = tuple(cell for cell in plan.controls if cell.cluster in clusters)
    return Plan(matrix=plan.matrix, cells=cells, controls=controls)


def _read_cells(path: Path, plan: Plan) -> tuple[str, ...]:
    """Return the ids of a file, one a line; empty lines and those of control cells are passed over."""
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"--cells: {path} cannot be read ({error}): name a file with a cell's id on each line"
        ) from error
    known = {cell.id: cell for cell in plan}
    wanted = [line for line in lines if line and (line not in known or known[line].role is Role.SELECTED)]
    faults = [f"--cells: {path}: {unknown('cell', line, known)}" for line in wanted if line not in known]
    if not wanted:
        faults.append(
            f"--cells: {path} names no cell: write a cell's id on each line, as `conformance plan` lists them"
        )
    if faults:
        raise UsageError(*faults)
    return tuple(wanted)


def _deal(cells: Sequence[Cell], count: int, prices: Costs) -> Iterator[_Piece]:
    """Yield a cluster's cells, longest first, in at most `count` pieces that take about the same time."""
    pieces: list[list[Cell]] = [[] for _ in range(count)]
    heap = [(0.0, number) for number in range(count)]
    for cell in cells:
        seconds, number = heap[0]
        pieces[number].append(cell)
        heapreplace(heap, (seconds + prices.cell(cell), number))
    setup = prices.setup(cells[0].key)
    yield from (
        _Piece(cluster=cells[0].cluster, cells=tuple(piece), seconds=prices.of(piece), setup=setup)
        for piece in pieces
        if piece
    )


def _pack(clusters: Iterable[Sequence[_Piece]], count: int) -> list[_Load]:
    """Put pieces, longest first, each onto that of `count` loads which then ends first."""
    loads = [_Load() for _ in range(count)]
    for piece in sorted(chain.from_iterable(clusters), key=lambda each: -each.seconds - each.setup):
        chosen = min(loads, key=lambda load: load.end_with(piece))
        chosen.seconds = chosen.end_with(piece)
        chosen.cells.setdefault(piece.cluster, []).extend(piece.cells)
    return loads


def _longest(loads: Iterable[_Load]) -> float:
    return max((load.seconds for load in loads), default=0.0)


def _slowest(
    loads: Sequence[_Load], groups: Mapping[str, Sequence[Cell]], numbers: Mapping[str, int], count: int
) -> str | None:
    """Return the cluster with most cells in the slowest load that can still be cut, or None."""
    slow = max(loads, key=lambda load: load.seconds)
    can = [name for name in slow.cells if numbers[name] < min(len(groups[name]), count)]
    return max(can, key=lambda name: (len(slow.cells[name]), name), default=None)


def _shard(load: _Load, index: int, of: int, position: dict[str, int]) -> Shard:
    cells = sorted((cell for cells in load.cells.values() for cell in cells), key=lambda cell: position[cell.id])
    return Shard(
        index=index,
        of=of,
        seconds=round(load.seconds, 1),
        clusters=tuple(dict.fromkeys(cell.cluster for cell in cells)),
        providers=tuple(dict.fromkeys(cell.provider for cell in cells)),
        cells=tuple(cell.id for cell in cells),
    )
