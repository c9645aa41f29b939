"""What has to be made, each layer and image with a key of everything that decides its bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from clusters.embedded.images.layer import Architecture
from clusters.embedded.images.oci import architecture
from clusters.embedded.images.recipe import Config, Cookbook, Layer, Served

#: Raised whenever the code here makes other bytes of the same recipes.
_FORMAT = 2


@dataclass(frozen=True, kw_only=True)
class LayerPlan:
    """A layer to be made for an architecture.

    `recipe` is the recipe's name, `asked` the packages that it and the layers below it name, `served` its served
    images, once for each platform.
    """

    recipe: str
    layer: Layer
    architecture: Architecture
    asked: tuple[str, ...]
    served: tuple[tuple[Served, tuple[ImagePlan, ...]], ...]
    key: str

    @property
    def summary(self) -> str:
        """One line that tells it from other layers."""
        return f"{self.recipe}: {self.layer.summary}"


@dataclass(frozen=True, kw_only=True)
class ImagePlan:
    """An image to be made: its recipe's name, how it starts, and its layers, lowest first."""

    name: str
    config: Config
    architecture: Architecture
    layers: tuple[LayerPlan, ...]

    @cached_property
    def key(self) -> str:
        """A name for everything that decides its bytes."""
        layers = [layer.key for layer in self.layers]
        return _digest([self.name, self.config.model_dump(), self.architecture, layers])


class Planner:
    """Plans images of a cookbook that hold these programs."""

    def __init__(self, cookbook: Cookbook, programs: Mapping[str, Path]) -> None:
        """Plan nothing yet; what is read of programs and files is read once."""
        self._cookbook = cookbook
        self._programs = programs
        self._digests: dict[Path, str] = {}

    def image(self, name: str, platform: Architecture | None = None) -> ImagePlan:
        """Plan an image for an architecture, this machine's when none is named."""
        target = platform or architecture()
        config = self._cookbook.recipes[name].config
        if config is None:
            raise ValueError(f"{name} is no image")
        asked: list[str] = []
        layers: list[LayerPlan] = []
        for part in self._cookbook.chain(name):
            for layer in self._cookbook.recipes[part].layers:
                asked += layer.packages
                layers.append(self._layer(part, layer, target, tuple(asked)))
        return ImagePlan(name=name, config=config, architecture=target, layers=tuple(layers))

    def _layer(self, recipe: str, layer: Layer, platform: Architecture, asked: Sequence[str]) -> LayerPlan:
        served = tuple(
            (each, tuple(self.image(each.recipe, target) for target in each.platforms or [platform]))
            for each in layer.served
        )
        folder = self._cookbook.folder / recipe
        decides = [
            _FORMAT,
            platform,
            self._cookbook.debian.model_dump(),
            layer.model_dump(),
            # Which packages a layer has depends on which are below it; without packages it is the same everywhere.
            list(asked) if layer.packages else [],
            {name: self._digest_of(self._programs[name]) for name in sorted(layer.programs)},
            {file.path: self._digests_below(folder / file.source) for file in layer.files},
            [[image.key for image in images] for _, images in served],
        ]
        return LayerPlan(
            recipe=recipe,
            layer=layer,
            architecture=platform,
            asked=tuple(asked) if layer.packages else (),
            served=served,
            key=_digest(decides),
        )

    def _digests_below(self, source: Path) -> dict[str, str]:
        """Return the digest of a file, or of each file below a folder, by its path there."""
        found = sorted(path for path in source.rglob("*") if path.is_file()) if source.is_dir() else [source]
        return {str(path.relative_to(source)): self._digest_of(path) for path in found}

    def _digest_of(self, path: Path) -> str:
        if path not in self._digests:
            with path.open("rb") as content:
                self._digests[path] = hashlib.file_digest(content, "sha256").hexdigest()
        return self._digests[path]


def key_of_set(images: Sequence[ImagePlan]) -> str:
    """Return a name for everything that decides what an archive of these images holds.

    Debian's newest versions are not asked for: what was made stays as it is until something here changes.
    """
    return _digest([image.key for image in images])


def _digest(decides: object) -> str:
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:32]
