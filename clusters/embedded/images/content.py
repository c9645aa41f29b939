"""What lies in a layer: its recipe's packages, programs and files, put together path by path."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from clusters.embedded.images.deb import read_deb
from clusters.embedded.images.layer import Entry, Kind, usr_merged
from clusters.embedded.images.recipe import File, Grant, Joined, Layer
from clusters.errors import ClustersError, UsageError


def gather(
    layer: Layer,
    *,
    folder: Path,
    debs: Sequence[Path],
    drop: Sequence[str],
    programs: Mapping[str, Path],
    served: Mapping[str, Entry],
) -> dict[str, Entry]:
    """Return every path of a layer with its entry.

    `folder` holds the recipe and its files, `debs` are the packages to unpack, `drop` adds globs to the layer's own,
    `served` is what its served images are stored as.
    Raises UsageError when the recipe names what is not there, ClustersError when a program is missing.
    """
    unpacked = dict(entry for deb in debs for entry in read_deb(deb))
    entries = _kept(unpacked, (*drop, *layer.drop))
    for name, path in layer.programs.items():
        if name not in programs:
            raise ClustersError(
                f"{folder / 'recipe.toml'} needs the program {name!r}, which the toolchain did not build"
            )
        entries[usr_merged(path)] = Entry(kind=Kind.FILE, content=programs[name])
    for directory in layer.directories:
        uid, gid = directory.owner
        entries[usr_merged(directory.path)] = Entry(kind=Kind.DIRECTORY, mode=directory.mode, uid=uid, gid=gid)
    for file in layer.files:
        entries.update(_files(folder / file.source, file))
    for joined in layer.joined:
        entries[usr_merged(joined.path)] = _joined(unpacked, joined, folder)
    for link in layer.links:
        for path in link.paths:
            entries[usr_merged(path)] = Entry(kind=Kind.SYMLINK, mode=0o777, target=link.target)
    entries.update(served)
    for grant in layer.grants:
        path = usr_merged(grant.path)
        entries[path] = _granted(entries.get(path), grant, folder)
    return entries


def _kept(unpacked: Mapping[str, Entry], drop: Sequence[str]) -> dict[str, Entry]:
    """Leave out what `drop` says, and directories in which nothing is left."""
    kept = {
        path: _independent(entry, unpacked, drop)
        for path, entry in unpacked.items()
        if entry.kind is not Kind.DIRECTORY and not _matches(path, drop)
    }
    used = {str(parent) for path in kept for parent in Path(path).parents}
    directories = {path: e for path, e in unpacked.items() if e.kind is Kind.DIRECTORY and path in used}
    return directories | kept


def _independent(entry: Entry, unpacked: Mapping[str, Entry], drop: Sequence[str]) -> Entry:
    """Make a hard link whose target is left out the file itself."""
    if entry.kind is Kind.HARDLINK and _matches(entry.target, drop):
        return unpacked[entry.target]
    return entry


def _matches(path: str, globs: Sequence[str]) -> bool:
    return any(fnmatchcase(f"/{path}", glob) for glob in globs)


def _files(source: Path, file: File) -> Iterator[tuple[str, Entry]]:
    uid, gid = file.owner
    path = usr_merged(file.path)
    if not source.is_dir():
        yield path, Entry(kind=Kind.FILE, mode=file.mode, uid=uid, gid=gid, content=source)
        return
    for found in sorted(source.rglob("*")):
        below = f"{path}/{found.relative_to(source)}"
        if found.is_dir():
            yield below, Entry(kind=Kind.DIRECTORY, uid=uid, gid=gid)
        else:
            yield below, Entry(kind=Kind.FILE, mode=file.mode, uid=uid, gid=gid, content=found)


def _joined(unpacked: Mapping[str, Entry], joined: Joined, folder: Path) -> Entry:
    pieces = [path for path in sorted(unpacked) if _matches(path, [joined.pieces])]
    contents = [content for path in pieces if isinstance(content := unpacked[path].content, bytes) and content]
    if not contents:
        raise UsageError(f"{folder / 'recipe.toml'}: joined: no file of the layer's packages matches {joined.pieces}")
    return Entry(kind=Kind.FILE, mode=joined.mode, content=b"".join(contents))


def _granted(entry: Entry | None, grant: Grant, folder: Path) -> Entry:
    if entry is None or entry.kind is not Kind.FILE:
        raise UsageError(f"{folder / 'recipe.toml'}: grants: {grant.path} is no file of this layer")
    return dataclasses.replace(entry, capabilities=frozenset(grant.capabilities))
