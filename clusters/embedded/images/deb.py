"""What a .deb brings: an `ar` archive whose member `data.tar.*` holds the files (deb(5))."""

from __future__ import annotations

import lzma
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from clusters.embedded.images.layer import MERGED, Entry, Kind, usr_merged
from clusters.errors import ClustersError

_MAGIC = b"!<arch>\n"
_HEADER = 60


def read_deb(path: Path) -> Iterator[tuple[str, Entry]]:
    """Yield every path of a package with its entry; bits that change the user are gone. Raises ClustersError."""
    try:
        with path.open("rb") as deb, tarfile.open(fileobj=_data_member(deb, path), mode="r|*") as tar:
            for member in tar:
                name = usr_merged(member.name)
                # /bin and its like are links of the base, not directories of a package.
                if name not in {"", ".", *MERGED} and (entry := _entry(tar, member)) is not None:
                    yield name, entry
    except (tarfile.TarError, lzma.LZMAError, EOFError) as error:
        raise ClustersError(f"{path.name} is damaged ({error}): run this again, it is fetched anew") from error


def _data_member(deb: IO[bytes], path: Path) -> IO[bytes]:
    if deb.read(len(_MAGIC)) != _MAGIC:
        raise ClustersError(f"{path.name} is no Debian package: run this again, it is fetched anew")
    while len(header := deb.read(_HEADER)) == _HEADER:
        name, size = header[:16].decode().rstrip(" /"), int(header[48:58])
        if name.startswith("data.tar"):
            return deb
        deb.seek(size + size % 2, 1)
    raise ClustersError(f"{path.name} has no data.tar: run this again, it is fetched anew")


def _entry(tar: tarfile.TarFile, member: tarfile.TarInfo) -> Entry | None:
    mode = member.mode & 0o777
    if member.isdir():
        return Entry(kind=Kind.DIRECTORY, mode=mode, uid=member.uid, gid=member.gid)
    if member.issym():
        return Entry(kind=Kind.SYMLINK, mode=0o777, target=member.linkname)
    if member.islnk():
        return Entry(kind=Kind.HARDLINK, mode=mode, uid=member.uid, gid=member.gid, target=usr_merged(member.linkname))
    source = tar.extractfile(member)
    if source is None:
        return None
    return Entry(kind=Kind.FILE, mode=mode, uid=member.uid, gid=member.gid, content=source.read())
