"""Images as a registry of the distribution project keeps them on disk, so that it can serve them without a push.

https://github.com/distribution/distribution/blob/main/registry/storage/paths.go
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clusters.embedded.images.layer import Architecture, Entry, Kind, usr_merged
from clusters.embedded.images.oci import CONFIG, INDEX, LAYER, MANIFEST, NamedLayer, image_config, to_json
from clusters.embedded.images.recipe import Config, Served

_ROOT = "docker/registry/v2"


@dataclass(frozen=True, kw_only=True, slots=True)
class Platform:
    """An image for one architecture: how it starts, where it is from, and its layers, lowest first."""

    architecture: Architecture
    config: Config
    origin: str
    layers: Sequence[NamedLayer]


class _Repository:
    """Collects what lies on disk for one name."""

    def __init__(self, name: str) -> None:
        self.files: dict[str, bytes] = {}
        self._folder = f"{_ROOT}/repositories/{name}"

    def add(self, content: bytes, media_type: str) -> dict[str, Any]:
        """Keep a manifest, a configuration or a layer, and return its descriptor."""
        digest = hashlib.sha256(content).hexdigest()
        self.files[f"{_ROOT}/blobs/sha256/{digest[:2]}/{digest}/data"] = content
        links = "_manifests/revisions" if media_type in {INDEX, MANIFEST} else "_layers"
        self._link(f"{links}/sha256/{digest}", digest)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}

    def tag(self, tag: str, descriptor: Mapping[str, Any]) -> None:
        """Let a tag name a manifest that was added."""
        digest = str(descriptor["digest"]).removeprefix("sha256:")
        self._link(f"_manifests/tags/{tag}/current", digest)
        self._link(f"_manifests/tags/{tag}/index/sha256/{digest}", digest)

    def _link(self, place: str, digest: str) -> None:
        self.files[f"{self._folder}/{place}/link"] = f"sha256:{digest}".encode()


def store(served: Served, platforms: Sequence[Platform]) -> dict[str, Entry]:
    """Return the files that make a registry serve an image, below `served.path`."""
    repository = _Repository(served.name)
    manifests = [_add_image(repository, platform) for platform in platforms]
    top = manifests[0]
    if served.platforms:
        top = repository.add(to_json({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}), INDEX)
    repository.tag(served.tag, top)
    files = {usr_merged(f"{served.path}/{path}"): content for path, content in repository.files.items()}
    folders = {folder: Entry(kind=Kind.DIRECTORY) for folder in _folders(files, usr_merged(served.path))}
    return folders | {path: Entry(kind=Kind.FILE, mode=0o644, content=content) for path, content in files.items()}


def _add_image(repository: _Repository, platform: Platform) -> dict[str, Any]:
    config = to_json(image_config(platform.config, platform.layers, platform.origin, platform.architecture))
    layers = [
        # Compressed as registries mostly have them; without a time, so that the same layer has the same digest.
        repository.add(gzip.compress(layer.blob.path.read_bytes(), mtime=0), f"{LAYER}+gzip")
        for layer in platform.layers
    ]
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": repository.add(config, CONFIG),
        "layers": layers,
    }
    described = repository.add(to_json(manifest), MANIFEST)
    return described | {"platform": {"os": "linux", "architecture": platform.architecture}}


def _folders(files: Mapping[str, bytes], top: str) -> Iterator[str]:
    """Yield every folder from `top` down to the files."""
    seen = {top}
    yield top
    for path in files:
        parts = path.removeprefix(f"{top}/").split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            folder = "/".join([top, *parts[:depth]])
            if folder not in seen:
                seen.add(folder)
                yield folder
