"""A file system layer: what lies at which path, and the tar that says so, the same bytes for the same content."""

from __future__ import annotations

import hashlib
import io
import struct
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, assert_never

#: Directories that are links into /usr, as in every Debian since bookworm.
MERGED = ("bin", "sbin", "lib", "lib64")

#: The linux/capability.h revision 2 header with the "effective" bit: two 32 bit words of permitted, two of inheritable.
_VFS_CAP_REVISION_2_EFFECTIVE = 0x02000001
_CAPABILITY_HEADER = "SCHILY.xattr.security.capability"


class Architecture(StrEnum):
    """What processors an image is for, as OCI and Debian name it."""

    AMD64 = "amd64"
    ARM64 = "arm64"


class FileCapability(StrEnum):
    """A capability that a file can be given. A closed list: what needs another one adds it here and in `_BITS`."""

    SETGID = "cap_setgid"
    SETUID = "cap_setuid"


#: Bit numbers of linux/capability.h.
_BITS = {FileCapability.SETGID: 6, FileCapability.SETUID: 7}


class Kind(StrEnum):
    """What an entry is."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symlink"
    HARDLINK = "hardlink"


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One path of a layer, which the mapping it lies in names.

    `content` of a file is bytes or a file to read; `target` is what a link says (a hard link: a path of the layer).
    """

    kind: Kind
    mode: int = 0o755
    uid: int = 0
    gid: int = 0
    content: bytes | Path = b""
    target: str = ""
    capabilities: frozenset[FileCapability] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Blob:
    """Bytes of an image under their name: `digest` (`sha256:...`), `size` in bytes, and the file that holds them."""

    digest: str
    size: int
    path: Path


def usr_merged(path: str) -> str:
    """Return where a path of a package lies when /bin, /sbin, /lib and /lib64 are links into /usr; no leading slash."""
    relative = path.strip("/").removeprefix("./")
    head, slash, _ = relative.partition("/")
    return f"usr/{relative}" if slash and head in MERGED else relative


def capability_xattr(capabilities: frozenset[FileCapability]) -> bytes:
    """Return the value of the extended attribute `security.capability` that grants these, permitted and effective."""
    permitted = sum(1 << _BITS[capability] for capability in capabilities)
    return struct.pack("<IIIII", _VFS_CAP_REVISION_2_EFFECTIVE, permitted, 0, 0, 0)


def write_layer(entries: Mapping[str, Entry], into: Path) -> Blob:
    """Write a layer as an uncompressed tar below `into`, named by its digest, and return it.

    Paths are sorted, hard links come last (after what they name), times are 0 and owners are numbers only.
    """
    ordered = sorted(entries, key=lambda path: (entries[path].kind is Kind.HARDLINK, path))
    unfinished = into / "layer.tmp"
    with unfinished.open("wb") as sink, tarfile.open(fileobj=sink, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in ordered:
            _add(tar, path, entries[path])
    return name_by_digest(unfinished)


def name_by_digest(unfinished: Path) -> Blob:
    """Rename a file to the hexadecimal digest of its bytes, as blobs of an OCI layout are named."""
    with unfinished.open("rb") as source:
        digest = hashlib.file_digest(source, "sha256").hexdigest()
    path = unfinished.rename(unfinished.with_name(digest))
    return Blob(digest=f"sha256:{digest}", size=path.stat().st_size, path=path)


def _add(tar: tarfile.TarFile, path: str, entry: Entry) -> None:
    info = tarfile.TarInfo(path)
    info.mode, info.uid, info.gid, info.mtime = entry.mode, entry.uid, entry.gid, 0
    if entry.capabilities:
        # Raw bytes in a PAX record: surrogateescape is how tarfile takes what is no UTF-8.
        value = capability_xattr(entry.capabilities).decode("utf-8", "surrogateescape")
        info.pax_headers = {_CAPABILITY_HEADER: value}
    match entry.kind:
        case Kind.FILE:
            with opened(entry.content) as (size, source):
                info.size = size
                tar.addfile(info, source)
        case Kind.DIRECTORY:
            info.type = tarfile.DIRTYPE
            tar.addfile(info)
        case Kind.SYMLINK:
            info.type, info.linkname = tarfile.SYMTYPE, entry.target
            tar.addfile(info)
        case Kind.HARDLINK:
            info.type, info.linkname = tarfile.LNKTYPE, entry.target
            tar.addfile(info)
        case _:
            assert_never(entry.kind)


@contextmanager
def opened(content: bytes | Path) -> Iterator[tuple[int, IO[bytes]]]:
    """Open bytes or a file for reading; gives their number and the open file."""
    if isinstance(content, bytes):
        yield len(content), io.BytesIO(content)
        return
    with content.open("rb") as source:
        yield content.stat().st_size, source
