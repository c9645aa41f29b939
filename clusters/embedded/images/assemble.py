"""Make every image of a cookbook: fetch packages, write layers, write the archive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from clusters.embedded.images import store
from clusters.embedded.images.content import gather
from clusters.embedded.images.debian import Apt, Package
from clusters.embedded.images.layer import write_layer
from clusters.embedded.images.oci import MadeImage, NamedLayer, make_image, write_archive
from clusters.embedded.images.programs import check_static, describe_program
from clusters.embedded.images.recipe import Cookbook
from clusters.provider import Progress

#: The packages of each layer: by the recipe's name, then the layer's number in it.
_Packages = Mapping[tuple[str, int], tuple[Package, ...]]


def assemble(cookbook: Cookbook, programs: Mapping[str, Path], folder: Path, progress: Progress) -> store.Record:
    """Write `folder`/images.tar with every image and return what is in it. Raises ClustersError."""
    for path in programs.values():
        check_static(path)
    progress(f"images: reading Debian {cookbook.debian.release}'s package lists")
    apt = Apt(cookbook.debian, folder / "apt")
    packages = _resolve(cookbook, apt)
    wanted = sorted({package for group in packages.values() for package in group})
    progress(f"images: fetching {len(wanted)} Debian packages")
    debs = apt.download(wanted)
    layers = _write_layers(cookbook, packages, debs, programs, folder / "blobs", progress)
    progress("images: writing the archive")
    made = {name: _image(cookbook, name, layers, programs, folder / "blobs") for name in cookbook.images()}
    write_archive([image for image, _ in made.values()], folder / "images.tar")
    return store.Record(
        images=[_record(image, origin) for image, origin in made.values()],
        packages={package.name: package.version for package in wanted},
    )


def _resolve(cookbook: Cookbook, apt: Apt) -> _Packages:
    """Give each layer what its packages need and no layer below it has."""
    groups: dict[tuple[str, int], tuple[Package, ...]] = {}
    for name in cookbook.recipes:
        asked: list[str] = []
        present: set[Package] = set()
        for part in cookbook.chain(name):
            for number, layer in enumerate(cookbook.recipes[part].layers):
                asked = [*asked, *layer.packages]
                if (part, number) not in groups:
                    closure = apt.resolve(asked) if layer.packages else ()
                    groups[part, number] = tuple(package for package in closure if package not in present)
                present |= set(groups[part, number])
    return groups


def _write_layers(
    cookbook: Cookbook,
    packages: _Packages,
    debs: Mapping[Package, Path],
    programs: Mapping[str, Path],
    blobs: Path,
    progress: Progress,
) -> dict[str, list[NamedLayer]]:
    blobs.mkdir()
    written: dict[str, list[NamedLayer]] = {}
    for name, recipe in cookbook.recipes.items():
        progress(f"images: writing the layers of {name}")
        written[name] = []
        for number, layer in enumerate(recipe.layers):
            entries = gather(
                layer,
                folder=cookbook.folder / name,
                debs=[debs[package] for package in packages[name, number]],
                drop=cookbook.debian.drop,
                programs=programs,
            )
            written[name].append(NamedLayer(summary=f"{name}: {layer.summary}", blob=write_layer(entries, blobs)))
    return written


def _image(
    cookbook: Cookbook, name: str, layers: Mapping[str, Sequence[NamedLayer]], programs: Mapping[str, Path], blobs: Path
) -> tuple[MadeImage, str]:
    chain = cookbook.chain(name)
    origin = _origin(cookbook, chain, programs)
    config = cookbook.recipes[name].config
    if config is None:
        raise ValueError(f"{name} is no image")
    stack = [layer for part in chain for layer in layers[part]]
    return make_image(name, config, stack, origin=origin, blobs=blobs), origin


def _origin(cookbook: Cookbook, chain: Sequence[str], programs: Mapping[str, Path]) -> str:
    used = {name for part in chain for layer in cookbook.recipes[part].layers for name in layer.programs}
    modules = sorted({describe_program(programs[name]) for name in used})
    packages = f"assembled from Debian {cookbook.debian.release} packages"
    return f"{packages} and {', '.join(modules)} built from source" if modules else packages


def _record(image: MadeImage, origin: str) -> store.ImageRecord:
    layers = [
        store.LayerRecord(digest=layer.blob.digest, size=layer.blob.size, summary=layer.summary)
        for layer in image.layers
    ]
    return store.ImageRecord(
        name=image.name, reference=image.reference, digest=image.manifest.digest, origin=origin, layers=layers
    )
