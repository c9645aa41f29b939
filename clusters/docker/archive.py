"""Images in the form that every Docker engine loads: a tar with `manifest.json` (Docker Image Specification v1.2)."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Sequence
from pathlib import Path

from clusters.embedded.images.layer import opened
from clusters.embedded.images.oci import MadeImage


def write(images: Sequence[MadeImage], path: Path) -> None:
    """Write images with their layers, each layer once, whoever shares it."""
    listed = [
        {
            "Config": _name(image.config.digest),
            "RepoTags": [image.reference],
            "Layers": [_name(layer.blob.digest) for layer in image.layers],
        }
        for image in images
    ]
    blobs = {blob.digest: blob for image in images for blob in (image.config, *(layer.blob for layer in image.layers))}
    with tarfile.open(path, mode="w", format=tarfile.PAX_FORMAT) as tar:
        _add(tar, "manifest.json", json.dumps(listed).encode())
        for digest, blob in sorted(blobs.items(), key=lambda item: (item[1].size, item[0])):
            _add(tar, _name(digest), blob.path)


def _name(digest: str) -> str:
    return f"blobs/sha256/{digest.removeprefix('sha256:')}"


def _add(tar: tarfile.TarFile, name: str, content: bytes | Path) -> None:
    info = tarfile.TarInfo(name)
    info.mode = 0o644
    with opened(content) as (size, source):
        info.size = size
        tar.addfile(info, source)
