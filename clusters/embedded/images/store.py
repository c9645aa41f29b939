"""The cache of assembled images: a folder for each key, complete or not there at all."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import filelock
from pydantic import BaseModel, ConfigDict, ValidationError

from clusters.embedded.images.shelf import Shelf
from clusters.errors import ClustersError, UnavailableError
from clusters.paths import cache_dir
from clusters.provider import Image, ImageRole, Progress

#: Bytes that assembling needs for a while: layers and the archive side by side.
_NEEDED = 1_500_000_000

#: The image that holds a pod's namespaces; no pod names it.
PAUSE = "pause"

_ARCHIVE = "images.tar"
_RECORD = "images.json"
_LAYERS = "layers"
_UNFINISHED = "making-"


class LayerRecord(BaseModel):
    """A layer as it was made; `size` is in bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    digest: str
    size: int
    summary: str


class ImageRecord(BaseModel):
    """An image as it was made: `name` is its recipe's."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    reference: str
    digest: str
    origin: str
    layers: list[LayerRecord]


class Record(BaseModel):
    """What an archive holds; `packages` maps each Debian package to its version."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    images: list[ImageRecord]
    packages: dict[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageSet:
    """Images a node can import: one OCI layout tar, what is in it, and the reference of the pause image."""

    archive: Path
    images: Mapping[ImageRole, Image]
    pause: str


def images_dir() -> Path:
    """Return the folder that holds every assembled set."""
    return cache_dir() / "images"


def shelf() -> Shelf:
    """Return the layers that were made for any set."""
    return Shelf(images_dir() / _LAYERS)


def find(key: str) -> ImageSet | None:
    """Return the set of that key when it is there whole."""
    folder = images_dir() / key
    record = _read(folder)
    if record is None or not (folder / _ARCHIVE).is_file():
        return None
    by_name = {image.name: image for image in record.images}
    images = {
        role: Image(role=role, reference=image.reference, digest=image.digest, origin=image.origin)
        for role in ImageRole
        if (image := by_name.get(role)) is not None
    }
    return ImageSet(archive=folder / _ARCHIVE, images=images, pause=by_name[PAUSE].reference)


@contextlib.contextmanager
def locked(progress: Progress) -> Iterator[None]:
    """Keep other processes from assembling at the same time; says so when it has to wait."""
    images_dir().mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(images_dir() / ".lock")
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        progress("images: another process is assembling them; waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def unfinished() -> Iterator[Path]:
    """Give a folder to work in, gone afterwards; what a killed process left goes first. Call it `locked`."""
    for left in images_dir().glob(f"{_UNFINISHED}*"):
        shutil.rmtree(left)
    free = shutil.disk_usage(images_dir()).free
    if free < _NEEDED:
        raise UnavailableError(
            f"{images_dir()} has {free / 1e9:.1f} GB free and assembling the images needs {_NEEDED / 1e9:.1f}: "
            "make room there, or point BUILD_CONFORMANCE_CACHE_DIR elsewhere"
        )
    with tempfile.TemporaryDirectory(prefix=_UNFINISHED, dir=images_dir()) as folder:
        yield Path(folder)


def publish(key: str, archive: Path, record: Record) -> ImageSet:
    """Make an archive and its record visible under the key, both at once."""
    whole = archive.parent / "whole"
    whole.mkdir()
    archive.rename(whole / _ARCHIVE)
    (whole / _RECORD).write_text(json.dumps(record.model_dump(), indent=1) + "\n")
    with (whole / _ARCHIVE).open("rb") as written:
        os.fsync(written.fileno())
    target = images_dir() / key
    if target.exists():
        shutil.rmtree(target)
    whole.rename(target)
    found = find(key)
    if found is None:
        raise ClustersError(f"{target} vanished while it was made: is something cleaning {images_dir()}?")
    return found


def prune(keep: str | None = None) -> int:
    """Remove assembled sets except that of key `keep`, and layers that are not in it; return the bytes freed."""
    freed = 0
    with locked(lambda _: None):
        kept = _read(images_dir() / keep) if keep is not None else None
        for folder in images_dir().iterdir():
            if folder.is_dir() and folder.name not in {keep, _LAYERS}:
                freed += sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
                shutil.rmtree(folder)
        return freed + shelf().prune({layer.digest for image in kept.images for layer in image.layers} if kept else ())


def _read(folder: Path) -> Record | None:
    try:
        return Record.model_validate_json((folder / _RECORD).read_bytes())
    except (OSError, ValidationError):
        return None
