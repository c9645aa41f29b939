"""Which tools there are: each a Go module at a version, Kubernetes once for each line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rapidfuzz import process as nearest

from clusters.embedded.toolchain.catalog import ToolRecord, load
from clusters.errors import UsageError

#: Lines that can be asked for, oldest first, and the one that is meant when none is.
KUBERNETES_LINES: Final[tuple[str, ...]] = tuple(load().kubernetes.lines)
DEFAULT_LINE: Final[str] = load().kubernetes.default


def tools_for(line: str) -> tuple[ToolRecord, ...]:
    """Return the Kubernetes tools of a line such as `1.35`. Raises UsageError naming the lines there are."""
    kubernetes = load().kubernetes
    if line not in kubernetes.lines:
        raise UsageError(f"no Kubernetes line {line!r}: there are {choices(line, kubernetes.lines)}")
    names = dict.fromkeys(build.apart or "kubernetes" for build in kubernetes.build)
    return tuple(
        ToolRecord(
            name=f"{name}-{line}",
            version=kubernetes.lines[line],
            build=tuple(build for build in kubernetes.build if (build.apart or "kubernetes") == name),
            **kubernetes.model_dump(include={"module", "origin", "notes", "disk_gib"}),
        )
        for name in names
    )


def all_tools() -> tuple[ToolRecord, ...]:
    """Return every tool that has a folder in `modules/`, one for each Kubernetes line too."""
    return (*load().tools, *(tool for line in KUBERNETES_LINES for tool in tools_for(line)))


def tools_named(names: Iterable[str]) -> tuple[ToolRecord, ...]:
    """Return the tools of these names, all of them for none. Raises UsageError for a name that is not there."""
    known = {tool.name: tool for tool in all_tools()}
    wanted = tuple(dict.fromkeys(names)) or tuple(known)
    for name in wanted:
        if name not in known:
            raise UsageError(f"no tool {name!r} in the toolchain: there are {choices(name, known)}")
    return tuple(known[name] for name in wanted)


def choices(wrong: str, known: Iterable[str]) -> str:
    """Return the names that could have been meant, and the nearest to the wrong one if one is near."""
    names = tuple(known)
    best = nearest.extractOne(wrong, names, score_cutoff=50)
    hint = f"; did you mean {best[0]!r}?" if best is not None else ""
    return ", ".join(names) + hint
