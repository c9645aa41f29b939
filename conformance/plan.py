"""The plan of a run: the cells that options leave of a matrix, and a control cell for each cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import product
from typing import Final

from pydantic import ValidationError

from conformance.errors import UsageError
from conformance.matrix import Block, Matrix
from conformance.model import Builder, Cell, Level, PsaLevel, Role, is_kubernetes_line, minor_of
from conformance.nearest import unknown

#: What there is to choose from: each provider's Kubernetes lines; one that lists none takes any line.
Choices = Mapping[str, tuple[str, ...]]

#: Said of several things a fault can be in: the option's name, or the matrix's path.
_OPTIONS: Final = {"clusters": "--cluster", "kubernetes": "--kubernetes", "levels": "--psa", "builders": "--builder"}
_PRIVILEGED: Final = Level(psa=PsaLevel.PRIVILEGED)
_RANKS: Final = {level: rank for rank, level in enumerate(PsaLevel)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """What the options ask for, as typed; an empty one leaves that factor to the matrix."""

    clusters: tuple[str, ...] = ()
    kubernetes: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    builders: tuple[str, ...] = ()


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
    def clusters(self) -> tuple[tuple[str, str], ...]:
        """Return provider and Kubernetes line of each cluster, in order."""
        return tuple((cell.provider, cell.kubernetes) for cell in self.controls)


def make(matrix: Matrix, selection: Selection, choices: Choices) -> Plan:
    """Return the cells that a selection leaves of a matrix, sorted, and a control cell for each cluster.

    Raises UsageError with every value that names nothing, what is nearest to it, and what there is.
    """
    faults = list(_faults(selection, _OPTIONS, matrix, choices))
    for block in matrix.blocks:
        faults += _faults(block, dict.fromkeys(_OPTIONS, matrix.origin), matrix, choices)
    if faults:
        raise UsageError(*dict.fromkeys(faults))
    cells: dict[str, Cell] = {}
    for block in narrow(matrix, selection):
        cells.update((cell.id, cell) for cell in _cells(block, matrix.builders, choices, faults))
    if not cells and not faults:
        faults.append(f"{matrix.origin}: no cell is left: no block has what the options ask for together")
    if faults:
        raise UsageError(*dict.fromkeys(faults))
    control = next(builder for builder in matrix.builders.values() if builder.control)
    ordered = tuple(sorted(cells.values(), key=_order))
    clusters = dict.fromkeys((cell.provider, cell.kubernetes) for cell in ordered)
    return Plan(
        matrix=matrix.name,
        cells=ordered,
        controls=tuple(_cell(provider, line, _PRIVILEGED, control, Role.CONTROL) for provider, line in clusters),
    )


def reachable(matrices: Iterable[Matrix], choices: Choices) -> tuple[Cell, ...]:
    """Return the cells of some matrices on every Kubernetes line that `--kubernetes` could name."""
    cells: dict[str, Cell] = {}
    for matrix in matrices:
        for block in narrow(matrix, Selection()):
            for provider in block.clusters:
                lines = tuple(dict.fromkeys((*block.kubernetes, *choices.get(provider, ()))))
                wide = block.model_copy(update={"clusters": (provider,), "kubernetes": lines})
                cells.update((cell.id, cell) for cell in _cells(wide, matrix.builders, choices, []))
    return tuple(sorted(cells.values(), key=_order))


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
    for text in asked.levels:
        if (fault := level_fault(text)) is not None:
            yield f"{where['levels']}: {fault}"
    for glob in asked.builders:
        if not any(fnmatchcase(name, glob) for name in matrix.builders):
            yield f"{where['builders']}: {unknown('builder', glob, matrix.builders)}"


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


def _cells(block: Block, builders: Mapping[str, Builder], choices: Choices, faults: list[str]) -> Iterator[Cell]:
    levels = [Level.parse(text) for text in block.levels]
    for provider, line in product(block.clusters, block.kubernetes):
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
                    yield _cell(provider, line, level, builders[name], Role.SELECTED)
                except ValidationError:
                    faults.append(
                        f"the builder's name {name!r} makes a cell's id longer than 60 characters: shorten it"
                    )


def _cell(provider: str, line: str, level: Level, builder: Builder, role: Role) -> Cell:
    suffix = "-control" if role is Role.CONTROL else ""
    name = f"{provider}-{line}-{level.slug}-{builder.name}{suffix}"
    return Cell(id=name, provider=provider, kubernetes=line, level=level, builder=builder, role=role)


def _policy(level: Level) -> int:
    return 0 if level.version == "latest" else minor_of(level.version)


def _order(cell: Cell) -> tuple[str, int, int, int, str]:
    return cell.provider, minor_of(cell.kubernetes), _RANKS[cell.level.psa], _policy(cell.level), cell.builder.name
