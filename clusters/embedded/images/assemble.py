"""Make the images of a plan: fetch packages, write the layers that are not there yet, write the archive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from clusters.embedded.images import registry, store
from clusters.embedded.images.content import gather
from clusters.embedded.images.debian import Apt, Package
from clusters.embedded.images.layer import Architecture, Entry, write_layer
from clusters.embedded.images.oci import MadeImage, NamedLayer, make_image, write_archive
from clusters.embedded.images.plan import ImagePlan, LayerPlan
from clusters.embedded.images.programs import check_static, describe_program
from clusters.embedded.images.recipe import Cookbook
from clusters.embedded.images.shelf import Shelf, Shelved
from clusters.provider import Progress


@dataclass(frozen=True, kw_only=True)
class Kitchen:
    """What assembling needs: recipes, programs, the layers there are, a folder to work in."""

    cookbook: Cookbook
    programs: Mapping[str, Path]
    shelf: Shelf
    folder: Path
    progress: Progress
    #: One apt for each architecture that packages were asked for.
    apts: dict[Architecture, Apt] = field(default_factory=dict)
    #: Which module each program says that it was built from.
    modules: dict[str, str] = field(default_factory=dict)

    @property
    def blobs(self) -> Path:
        """The folder for what is being written."""
        return self.folder / "blobs"

    def origin(self, image: ImagePlan) -> str:
        """Say what an image was made of."""
        packaged = any(plan.layer.packages for plan in image.layers)
        used = sorted({name for plan in image.layers for name in plan.layer.programs})
        for name in used:
            if name not in self.modules:
                self.modules[name] = describe_program(self.programs[name])
        modules = ", ".join(sorted({self.modules[name] for name in used}))
        parts = [
            f"Debian {self.cookbook.debian.release} packages" if packaged else "",
            f"{modules} built from source" if modules else "",
        ]
        return f"assembled from {' and '.join(part for part in parts if part)}"


def assemble(kitchen: Kitchen, images: Sequence[ImagePlan]) -> store.Record:
    """Write images.tar with these images into the kitchen's folder and return what is in it. Raises ClustersError."""
    for path in kitchen.programs.values():
        check_static(path)
    kitchen.blobs.mkdir()
    stacks = {image.name: _stack(kitchen, image) for image in images}
    kitchen.progress("images: writing the archive")
    origins = {image.name: kitchen.origin(image) for image in images}
    made = [
        make_image(image.name, image.config, _named(image, stacks[image.name]), origins[image.name], kitchen.blobs)
        for image in images
    ]
    write_archive(made, kitchen.folder / "images.tar")
    layers = [layer for stack in stacks.values() for layer in stack]
    return store.Record(
        images=[_record(image, origins[image.name]) for image in made],
        packages={package.name: package.version for layer in layers for package in layer.packages},
    )


def _stack(kitchen: Kitchen, image: ImagePlan) -> list[Shelved]:
    """Return the layers of an image, lowest first, making what is missing."""
    stack: list[Shelved] = []
    for layer in image.layers:
        found = kitchen.shelf.find(layer.key)
        if found is None:
            below = {package for lower in stack for package in lower.packages}
            found = _make(kitchen, layer, below)
        stack.append(found)
    return stack


def _make(kitchen: Kitchen, plan: LayerPlan, below: set[Package]) -> Shelved:
    served: dict[str, Entry] = {}
    for each, images in plan.served:
        served |= registry.store(each, [_platform(kitchen, image) for image in images])
    debs = _fetch(kitchen, plan, below)
    kitchen.progress(f"images: writing a layer of {plan.summary}")
    entries = gather(
        plan.layer,
        folder=kitchen.cookbook.folder / plan.recipe,
        debs=list(debs.values()),
        drop=kitchen.cookbook.debian.drop,
        programs=kitchen.programs,
        served=served,
    )
    return kitchen.shelf.put(plan.key, write_layer(entries, kitchen.blobs), packages=sorted(debs))


def _fetch(kitchen: Kitchen, plan: LayerPlan, below: set[Package]) -> dict[Package, Path]:
    """Fetch what a layer's packages need and no layer below it has."""
    if not plan.layer.packages:
        return {}
    apt = kitchen.apts.get(plan.architecture)
    if apt is None:
        release = kitchen.cookbook.debian.release
        kitchen.progress(f"images: reading Debian {release}'s package lists for {plan.architecture}")
        apt = Apt(kitchen.cookbook.debian, kitchen.folder / f"apt-{plan.architecture}", plan.architecture)
        kitchen.apts[plan.architecture] = apt
    wanted = [package for package in apt.resolve(plan.asked) if package not in below]
    kitchen.progress(f"images: fetching {len(wanted)} Debian packages for {plan.summary}")
    return apt.download(wanted)


def _platform(kitchen: Kitchen, image: ImagePlan) -> registry.Platform:
    return registry.Platform(
        architecture=image.architecture,
        config=image.config,
        origin=kitchen.origin(image),
        layers=_named(image, _stack(kitchen, image)),
    )


def _named(image: ImagePlan, stack: Sequence[Shelved]) -> list[NamedLayer]:
    """Give layers their recipes' sentences: two recipes may have the same layer under different ones."""
    return [NamedLayer(summary=p.summary, blob=found.blob) for p, found in zip(image.layers, stack, strict=True)]


def _record(image: MadeImage, origin: str) -> store.ImageRecord:
    layers = [
        store.LayerRecord(digest=layer.blob.digest, size=layer.blob.size, summary=layer.summary)
        for layer in image.layers
    ]
    return store.ImageRecord(
        name=image.name, reference=image.reference, digest=image.manifest.digest, origin=origin, layers=layers
    )
