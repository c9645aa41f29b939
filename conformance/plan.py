"""The plan of a run: the cells that options leave of a matrix, and a control cell for each cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import product
from typing import Final

from pydantic import ValidationError

from conformance.errors import UsageError
from conformance.matrix import Block, Matrix
from conformance.model import Builder, Cell, ClusterKey, Level, PsaLevel, Role, is_kubernetes_line, minor_of
from conformance.nearest import unknown

#: What there is to choose from: each provider's Kubernetes lines; one that lists none takes any line.
Choices = Mapping[str, tuple[str, ...]]

#: Said of several things a fault can be in: the option's name, or the matrix's path.
_OPTIONS: Final = {
    "clusters": "--cluster",
    "kubernetes": "--kubernetes",
    "nodes": "--node",
    "levels": "--psa",
    "builders": "--builder",
    "probes": "--probe",
}
_PRIVILEGED: Final = Level(psa=PsaLevel.PRIVILEGED)
_RANKS: Final = {level: rank for rank, level in enumerate(PsaLevel)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """What the options ask for, as typed; an empty one leaves that factor to the matrix."""

    clusters: tuple[str, ...] = ()
    kubernetes: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    builders: tuple[str, ...] = ()
    probes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """The cells of a run in order, and the control cell of each cluster, which is shown but not counted."""

    matrix: str
    cells: tuple[Cell, ...]
    controls: tuple[Cell, ...]

    def __iter__(self) -> Iterator[Cell]:
        """Yield every planned cell, controls first."""
        yield from self.controls
        yield from self.cells

    @property
    def clusters(self) -> tuple[ClusterKey, ...]:
        """Return what tells each cluster from the others, in order."""
        return tuple(cell.key for cell in self.controls)

    def on(self, key: ClusterKey) -> tuple[Cell, ...]:
        """Return every cell of a cluster, its control cell first."""
        return tuple(cell for cell in self if cell.key == key)


def make(
    matrix: Matrix,
    selection: Selection,
    choices: Choices,
    *,
    probes: Sequence[str] = (),
    standing: Mapping[str, str] | None = None,
) -> Plan:
    """Return the cells that a selection leaves of a matrix, sorted, and a control cell for each cluster.

    `probes` are all there are, in their order; those that are selected replace those of every block. `standing` are
    the lines of clusters that stand already, by provider: their cells run on those, whatever line was asked for.
    Raises UsageError with every value that names nothing, what is nearest to it, and what there is.
    """
    faults = [*_faults(selection, _OPTIONS, matrix, choices), *_probe_faults(selection, _OPTIONS, probes)]
    for block in matrix.blocks:
        places = dict.fromkeys(_OPTIONS, matrix.origin)
        faults += [*_faults(block, places, matrix, choices), *_probe_faults(block, places, probes)]
    if faults:
        raise UsageError(*dict.fromkeys(faults))
    cells: dict[str, Cell] = {}
    for block in _on_standing(narrow(matrix, selection), standing or {}):
        wanted = _matching(selection.probes or block.probes, probes)
        for cell in _cells(block, matrix, choices, faults):
            other = cells.get(cell.id, cell)
            # A cell that one block must have is no option because another block may have it.
            chosen = other if cell.optional else cell
            cells[cell.id] = chosen.model_copy(update={"probes": _matching((*wanted, *other.probes), probes)})
    if not cells and not faults:
        faults.append(f"{matrix.origin}: no cell is left: no block has what the options ask for together")
    if faults:
        raise UsageError(*dict.fromkeys(faults))
    control = next(builder for builder in matrix.builders.values() if builder.control)
    ordered = tuple(sorted(cells.values(), key=order))
    keys: dict[str, list[Cell]] = {}
    for cell in ordered:
        keys.setdefault(cell.cluster, []).append(cell)
    controls = tuple(
        _cell(on[0].key, _PRIVILEGED, control, role=Role.CONTROL, optional=all(cell.optional for cell in on))
        for on in keys.values()
    )
    return Plan(matrix=matrix.name, cells=ordered, controls=controls)


def reachable(matrices: Iterable[Matrix], choices: Choices) -> tuple[Cell, ...]:
    """Return the cells of some matrices on every Kubernetes line that `--kubernetes` could name."""
    cells: dict[str, Cell] = {}
    for matrix in matrices:
        for block in narrow(matrix, Selection()):
            for provider in block.clusters:
                lines = tuple(dict.fromkeys((*block.kubernetes, *choices.get(provider, ()))))
                wide = block.model_copy(update={"clusters": (provider,), "kubernetes": lines})
                cells.update((cell.id, cell) for cell in _cells(wide, matrix, choices, []))
    return tuple(sorted(cells.values(), key=order))


def narrow(matrix: Matrix, selection: Selection) -> tuple[Block, ...]:
    """Return the blocks with each factor cut down to the selection; a value that no block has goes to the first.

    A glob is such a value only where it matches no builder of any block.
    """
    blocks = [
        block.model_copy(update={"builders": _expand(block.builders, matrix), "levels": _full(block.levels)})
        for block in matrix.blocks
    ]
    wanted = {
        "clusters": selection.clusters,
        "kubernetes": selection.kubernetes,
        "nodes": selection.nodes,
        "levels": _full(selection.levels),
        "builders": _named(selection.builders, blocks, matrix),
    }
    for factor, values in wanted.items():
        if not values:
            continue
        anywhere = {value for block in blocks for value in getattr(block, factor)}
        for index, block in enumerate(blocks):
            has = {*getattr(block, factor), *(value for value in values if index == 0 and value not in anywhere)}
            blocks[index] = block.model_copy(update={factor: tuple(value for value in values if value in has)})
    return tuple(blocks)


def _on_standing(blocks: Iterable[Block], standing: Mapping[str, str]) -> Iterator[Block]:
    """Give the clusters that stand already a block of their own, on the line they have."""
    for block in blocks:
        others = tuple(name for name in block.clusters if name not in standing)
        yield block.model_copy(update={"clusters": others})
        for name in block.clusters:
            if name in standing:
                yield block.model_copy(update={"clusters": (name,), "kubernetes": (standing[name],)})


def _matching(globs: Iterable[str], names: Iterable[str]) -> tuple[str, ...]:
    """Return the names that some glob matches, in their own order."""
    wanted = tuple(globs)
    return tuple(name for name in names if any(fnmatchcase(name, glob) for glob in wanted))


def _full(levels: Iterable[str]) -> tuple[str, ...]:
    return tuple(str(Level.parse(text)) for text in levels)


def _expand(globs: Iterable[str], matrix: Matrix) -> tuple[str, ...]:
    names = sorted(matrix.builders)
    return tuple(dict.fromkeys(name for glob in globs for name in names if fnmatchcase(name, glob)))


def _named(globs: Iterable[str], blocks: Iterable[Block], matrix: Matrix) -> tuple[str, ...]:
    """Return the builders that globs mean: those of the blocks, and of all there are for a glob that matches none."""
    planned = sorted({name for block in blocks for name in block.builders})
    found: list[str] = []
    for glob in globs:
        found += [name for name in planned if fnmatchcase(name, glob)] or _expand([glob], matrix)
    return tuple(dict.fromkeys(found))


def _faults(asked: Selection | Block, where: Mapping[str, str], matrix: Matrix, choices: Choices) -> Iterator[str]:
    for name in asked.clusters:
        if name not in choices:
            yield f"{where['clusters']}: {unknown('provider', name, choices)}"
    known = {line for lines in choices.values() for line in lines}
    any_goes = not all(choices[name] for name in asked.clusters if name in choices)
    for line in asked.kubernetes:
        if not is_kubernetes_line(line) or (line not in known and not any_goes):
            yield f"{where['kubernetes']}: {unknown('Kubernetes line', line, known)}"
    unheard = [name for name in asked.nodes if name not in matrix.nodes]
    yield from (
        f"{where['nodes']}: {unknown('kind of node', name, matrix.nodes, plural='kinds of node')}" for name in unheard
    )
    for text in asked.levels:
        if (fault := level_fault(text)) is not None:
            yield f"{where['levels']}: {fault}"
    for glob in asked.builders:
        if not any(fnmatchcase(name, glob) for name in matrix.builders):
            yield f"{where['builders']}: {unknown('builder', glob, matrix.builders)}"


def _probe_faults(asked: Selection | Block, where: Mapping[str, str], probes: Sequence[str]) -> Iterator[str]:
    for glob in asked.probes:
        if not _matching([glob], probes):
            yield f"{where['probes']}: {unknown('probe', glob, probes)}"


def level_fault(text: str) -> str | None:
    """Say what is wrong with a level as it was written, e.g. `baseline@v1.34`; None: nothing."""
    name, at, version = text.partition("@")
    if name not in set(PsaLevel):
        return unknown("Pod Security level", name, PsaLevel)
    try:
        Level.parse(text)
    except ValidationError:
        return f"{version!r} is no policy version: write {name}@latest or such as {name}@v1.34"
    return f"{text!r} names no policy version after the '@': write such as {name}@v1.34" if at and not version else None


def _cells(block: Block, matrix: Matrix, choices: Choices, faults: list[str]) -> Iterator[Cell]:
    levels = [Level.parse(text) for text in block.levels]
    for provider, line, node in product(block.clusters, block.kubernetes, block.nodes):
        key = ClusterKey(provider=provider, kubernetes=line, node=matrix.nodes[node])
        lines = choices.get(provider, ())
        if lines and line not in lines:
            faults.append(f"the provider {provider!r} has no Kubernetes line {line}. Its lines: {', '.join(lines)}")
            continue
        for level in levels:
            if _policy(level) > minor_of(line):
                faults.append(
                    f"the policy {level} is newer than Kubernetes {line}, whose server would silently use v{line}:"
                    f" pin v{line} or older, or choose a newer line with --kubernetes"
                )
                continue
            for name in block.builders:
                try:
                    yield _cell(key, level, matrix.builders[name], role=Role.SELECTED, optional=block.optional)
                except ValidationError:
                    faults.append(
                        f"the builder's name {name!r} makes a cell's id longer than 120 characters: shorten it"
                    )


def _cell(key: ClusterKey, level: Level, builder: Builder, *, role: Role, optional: bool) -> Cell:
    suffix = "-control" if role is Role.CONTROL else ""
    return Cell(
        id=f"{key.name}-{level.slug}-{builder.name}{suffix}",
        provider=key.provider,
        kubernetes=key.kubernetes,
        node=key.node,
        level=level,
        builder=builder,
        role=role,
        optional=optional,
    )


def _policy(level: Level) -> int:
    return 0 if level.version == "latest" else minor_of(level.version)


def order(cell: Cell) -> tuple[str, int, str, int, int, str]:
    """Return what sorts the cells of a plan."""
    node = "" if cell.node.is_default else cell.node.name
    level = (_RANKS[cell.level.psa], _policy(cell.level))
    return cell.provider, minor_of(cell.kubernetes), node, *level, cell.builder.name
