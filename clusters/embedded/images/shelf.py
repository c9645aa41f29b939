"""The cache of layers: a folder for each key, complete or not there at all. What images share is made once."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from clusters.embedded.images.debian import Package
from clusters.embedded.images.layer import Blob

_LAYER = "layer.tar"
_RECORD = "layer.json"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    digest: str
    #: In bytes.
    size: int
    packages: list[Package]


@dataclass(frozen=True, kw_only=True, slots=True)
class Shelved:
    """A layer that was made, and the packages that were unpacked into it."""

    blob: Blob
    packages: tuple[Package, ...]


class Shelf:
    """The layers below a folder. Whoever writes holds the lock of the images."""

    def __init__(self, folder: Path) -> None:
        """Use this folder, which may not be there yet."""
        self._folder = folder

    def find(self, key: str) -> Shelved | None:
        """Return the layer of that key when it is there whole."""
        folder = self._folder / key
        try:
            record = _Record.model_validate_json((folder / _RECORD).read_bytes())
            if (folder / _LAYER).stat().st_size != record.size:
                return None
        except (OSError, ValidationError):
            return None
        blob = Blob(digest=record.digest, size=record.size, path=folder / _LAYER)
        return Shelved(blob=blob, packages=tuple(record.packages))

    def put(self, key: str, made: Blob, *, packages: Sequence[Package]) -> Shelved:
        """Move a layer in, all of it at once."""
        whole = made.path.with_name(f"whole-{key}")
        whole.mkdir()
        made.path.rename(whole / _LAYER)
        with (whole / _LAYER).open("rb") as written:
            os.fsync(written.fileno())
        record = _Record(digest=made.digest, size=made.size, packages=list(packages))
        (whole / _RECORD).write_text(record.model_dump_json(indent=1) + "\n")
        target = self._folder / key
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        whole.rename(target)
        return Shelved(blob=dataclasses.replace(made, path=target / _LAYER), packages=tuple(packages))

    def prune(self, keep: Collection[str]) -> int:
        """Remove every layer whose digest is not among these; return the bytes freed."""
        freed = 0
        for folder in self._folder.glob("*"):
            found = self.find(folder.name)
            if found is None or found.blob.digest not in keep:
                freed += sum(path.stat().st_size for path in folder.iterdir())
                shutil.rmtree(folder)
        return freed
