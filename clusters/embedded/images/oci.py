"""OCI images on disk: configuration, manifest, and an image layout of several images as one tar.

https://github.com/opencontainers/image-spec: config.md, manifest.md, image-layout.md.
"""

from __future__ import annotations

import json
import platform
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clusters.embedded.images.layer import Architecture, Blob, name_by_digest, opened
from clusters.embedded.images.recipe import Config
from clusters.errors import UnavailableError

CONFIG = "application/vnd.oci.image.config.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"

#: When every image was made, so that the same content has the same digest.
_CREATED = "1970-01-01T00:00:00Z"

_ARCHITECTURES = {"x86_64": Architecture.AMD64, "aarch64": Architecture.ARM64}


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedLayer:
    """A layer and the sentence of its recipe, which becomes its line of history."""

    summary: str
    blob: Blob


@dataclass(frozen=True, kw_only=True, slots=True)
class MadeImage:
    """An image that lies in the blobs folder: its recipe's name, reference, manifest and layers, lowest first."""

    name: str
    reference: str
    manifest: Blob
    config: Blob
    layers: tuple[NamedLayer, ...]


def architecture() -> Architecture:
    """Return this machine's architecture as OCI names it. Raises UnavailableError."""
    machine = platform.machine()
    if machine not in _ARCHITECTURES:
        raise UnavailableError(f"no images for {machine}: the embedded cluster runs on {' and '.join(_ARCHITECTURES)}")
    return _ARCHITECTURES[machine]


def make_image(name: str, config: Config, layers: Sequence[NamedLayer], origin: str, blobs: Path) -> MadeImage:
    """Write configuration and manifest into `blobs`; the image is named `localhost/conformance/<name>:<digest>`."""
    written = _write_json(image_config(config, layers, origin, architecture()), blobs)
    manifest = _write_json(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": _descriptor(written, CONFIG),
            "layers": [_descriptor(layer.blob, LAYER) for layer in layers],
        },
        blobs,
    )
    tag = manifest.digest.removeprefix("sha256:")[:12]
    reference = f"localhost/conformance/{name}:{tag}"
    return MadeImage(name=name, reference=reference, manifest=manifest, config=written, layers=tuple(layers))


def write_archive(images: Sequence[MadeImage], path: Path) -> None:
    """Write an image layout with all `images` as one tar; each blob is in it once, whoever shares it."""
    index = {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [_descriptor(image.manifest, MANIFEST) | {"annotations": _names(image)} for image in images],
    }
    blobs = {blob.digest: blob for image in images for blob in _blobs(image)}
    with tarfile.open(path, mode="w", format=tarfile.PAX_FORMAT) as tar:
        # Small and decisive things first: a reader of the stream then knows what to expect.
        _add(tar, "oci-layout", to_json({"imageLayoutVersion": "1.0.0"}))
        _add(tar, "index.json", to_json(index))
        for digest, blob in sorted(blobs.items(), key=lambda item: (item[1].size, item[0])):
            _add(tar, f"blobs/sha256/{digest.removeprefix('sha256:')}", blob.path)


def image_config(
    config: Config, layers: Sequence[NamedLayer], origin: str, architecture: Architecture
) -> dict[str, Any]:
    """Return the configuration of an image of these layers, lowest first."""
    return {
        "architecture": architecture,
        "os": "linux",
        "created": _CREATED,
        "config": {
            "User": config.user,
            "Env": [f"{name}={value}" for name, value in sorted(config.environment.items())],
            "Entrypoint": config.entrypoint or None,
            "Cmd": config.command or None,
            "WorkingDir": config.directory,
            "Volumes": {path: {} for path in config.volumes} or None,
            "Labels": {"org.opencontainers.image.description": origin} | config.labels,
        },
        "rootfs": {"type": "layers", "diff_ids": [layer.blob.digest for layer in layers]},
        # One line for each layer: podman refuses an image where the numbers differ.
        "history": [{"created": _CREATED, "created_by": layer.summary} for layer in layers],
    }


def _names(image: MadeImage) -> dict[str, str]:
    return {
        # containerd and Docker take the whole reference from the first, others the tag from the second.
        "io.containerd.image.name": image.reference,
        "org.opencontainers.image.ref.name": image.reference,
    }


def _blobs(image: MadeImage) -> tuple[Blob, ...]:
    return (image.manifest, image.config, *(layer.blob for layer in image.layers))


def _descriptor(blob: Blob, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": blob.digest, "size": blob.size}


def to_json(value: object) -> bytes:
    """Return a document as bytes, the same for the same content."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _write_json(value: object, blobs: Path) -> Blob:
    unfinished = blobs / "document.tmp"
    unfinished.write_bytes(to_json(value))
    return name_by_digest(unfinished)


def _add(tar: tarfile.TarFile, name: str, content: bytes | Path) -> None:
    # Times and owners stay at their defaults, zero.
    info = tarfile.TarInfo(name)
    info.mode = 0o644
    with opened(content) as (size, source):
        info.size = size
        tar.addfile(info, source)
