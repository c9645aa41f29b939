"""Matrices: which cells there are. Reads `matrices/*.toml` and `matrices/builders/*.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clusters.paths import CHECKOUT
from conformance import datafile
from conformance.errors import UsageError
from conformance.model import Builder, Node, Record
from conformance.nearest import unknown

MATRICES: Final = CHECKOUT / "matrices"

#: Files of `matrices/` that are no matrix.
_NO_MATRIX: Final = {"durations.toml", "nodes.toml"}
#: The kind of node that is meant where none is named.
DEFAULT_NODE: Final = Node().name


class Block(Record):
    """One rectangle of cells: every combination of what it lists."""

    #: Providers.
    clusters: tuple[str, ...]
    #: Kubernetes lines, e.g. `1.35`.
    kubernetes: tuple[str, ...]
    #: `baseline` or `baseline@v1.34`.
    levels: tuple[str, ...]
    #: Names or globs.
    builders: tuple[str, ...]
    #: Kinds of node, as `matrices/nodes.toml` names them.
    nodes: tuple[str, ...] = (DEFAULT_NODE,)
    #: Only some machines can host these cells; where this one cannot, they are no hole in a run.
    optional: bool = False
    #: Names or globs of the probes that look at these cells once their stages have passed.
    probes: tuple[str, ...] = ()


class NodesFile(Record):
    """Kinds of node by name, as their file says them."""

    nodes: dict[str, Node]


class MatrixFile(Record):
    """A matrix as its file says it."""

    summary: str
    cells: tuple[Block, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Matrix:
    """A matrix and the builders it may name; `origin` is its path, for messages."""

    name: str
    origin: str
    summary: str
    blocks: tuple[Block, ...]
    builders: Mapping[str, Builder]
    nodes: Mapping[str, Node]
    #: The folder whose `claims/` hold for it.
    folder: Path


def load(name: str = "default", *, folder: Path = MATRICES) -> Matrix:
    """Read a matrix by its name in `folder` or by its path; builders and claims are those beside it, else of `folder`.

    Raises UsageError when its file or a builder's file is wrong.
    """
    by_path = name.endswith(".toml") or "/" in name
    path = Path(name) if by_path else folder / f"{name}.toml"
    if not by_path and name not in names(folder):
        raise UsageError(f"--matrix: {unknown('matrix', name, names(folder), plural='matrices')}")
    content = datafile.read(path, MatrixFile)
    beside = path.parent
    return Matrix(
        name=path.stem,
        origin=str(path),
        summary=content.summary,
        blocks=content.cells,
        builders=load_builders((beside if (beside / "builders").is_dir() else folder) / "builders"),
        nodes=load_nodes((beside if (beside / "nodes.toml").is_file() else folder) / "nodes.toml"),
        folder=beside if (beside / "claims").is_dir() else folder,
    )


def names(folder: Path = MATRICES) -> tuple[str, ...]:
    """Return the names of the matrices in a folder."""
    return tuple(sorted(path.stem for path in folder.glob("*.toml") if path.name not in _NO_MATRIX))


def load_nodes(path: Path) -> Mapping[str, Node]:
    """Read the kinds of node; the default one is always there. Raises UsageError."""
    said = datafile.read(path, NodesFile).nodes if path.is_file() else {}
    if DEFAULT_NODE in said:
        raise UsageError(f"{path}: the kind of node {DEFAULT_NODE!r} has no conditions and needs no entry: remove it")
    return {DEFAULT_NODE: Node(), **{name: node.model_copy(update={"name": name}) for name, node in said.items()}}


def load_builders(folder: Path) -> Mapping[str, Builder]:
    """Read every builder of a folder, one a file and named by it. Raises UsageError with the faults of all files."""
    builders: dict[str, Builder] = {}
    faults: list[str] = []
    paths = sorted(folder.glob("*.toml"))
    for path in paths:
        try:
            builders[path.stem] = datafile.read(path, Builder, also={"name": path.stem})
        except UsageError as error:
            faults += error.faults
    if not paths:
        faults.append(f"{folder}: holds no builder: add a TOML file for each")
    controls = [builder.name for builder in builders.values() if builder.control]
    if not faults and len(controls) != 1:
        named = f"{', '.join(controls)} do" if controls else "none does"
        faults.append(
            f"{folder}: exactly one builder must say `control = true`, the one that any cluster can run; {named}"
        )
    if faults:
        raise UsageError(*faults)
    return builders
