"""The images of the embedded cluster, assembled on this machine from the recipes in `images/`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from clusters.embedded.images import store
from clusters.embedded.images.assemble import Kitchen, assemble
from clusters.embedded.images.plan import ImagePlan, Planner, key_of_set
from clusters.embedded.images.recipe import Cookbook, load_cookbook
from clusters.embedded.images.store import ImageSet, prune
from clusters.errors import ClustersError, UsageError
from clusters.paths import CHECKOUT
from clusters.provider import BASIC_IMAGES, ImageRole, Progress

__all__ = ["ImageSet", "ensure", "needed_programs", "prune"]

RECIPES = CHECKOUT / "images"


def needed_programs(roles: Collection[ImageRole] = BASIC_IMAGES) -> frozenset[str]:
    """Return the names of the toolchain's programs that these images hold. Raises UsageError for a bad recipe."""
    return _needed(_load(), _names(roles))


def ensure(binaries: Mapping[str, Path], progress: Progress, roles: Collection[ImageRole] = BASIC_IMAGES) -> ImageSet:
    """Return the images of these roles made of these programs, from the cache when nothing about them has changed.

    Layers that were made for other roles are used again. `binaries` are the toolchain's programs by name; those that
    no recipe of the roles names are ignored.
    Raises UsageError for a bad recipe, UnavailableError when apt, its keyring or room is missing, CommandError when
    packages cannot be fetched. What was interrupted leaves nothing that looks finished.
    """
    cookbook = _load()
    names = _names(roles)
    needed = _needed(cookbook, names)
    if missing := sorted(needed - binaries.keys()):
        raise ClustersError(f"the images need {', '.join(missing)}: have the toolchain build them first")
    programs = {name: binaries[name] for name in sorted(needed)}
    planner = Planner(cookbook, programs)
    plans = [planner.image(name) for name in names]
    key = key_of_set(plans)
    if (found := store.find(key)) is not None:
        return found
    with store.locked(progress):
        # Whoever held the lock may have made just this.
        if (found := store.find(key)) is not None:
            return found
        return _assemble(cookbook, programs, plans, key, progress)


def _assemble(
    cookbook: Cookbook, programs: Mapping[str, Path], plans: list[ImagePlan], key: str, progress: Progress
) -> ImageSet:
    try:
        with store.unfinished() as folder:
            kitchen = Kitchen(
                cookbook=cookbook, programs=programs, shelf=store.shelf(), folder=folder, progress=progress
            )
            record = assemble(kitchen, plans)
            return store.publish(key, folder / "images.tar", record)
    except OSError as error:
        raise ClustersError(
            f"the images could not be written: {error}; is {store.images_dir()} full or read-only?"
        ) from error


def _load() -> Cookbook:
    cookbook = load_cookbook(RECIPES)
    if missing := sorted({*ImageRole, store.PAUSE} - {*cookbook.images()}):
        names = ", ".join(f"{name}/recipe.toml" for name in missing)
        raise UsageError(f"{RECIPES} needs {names}, with a [config]: is the checkout complete? `git status` tells")
    return cookbook


def _names(roles: Collection[ImageRole]) -> list[str]:
    return sorted({*roles, store.PAUSE})


def _needed(cookbook: Cookbook, names: Collection[str]) -> frozenset[str]:
    """Return the programs in the layers of these images, and of the images that they serve."""
    layers = [layer for name in names for part in cookbook.chain(name) for layer in cookbook.recipes[part].layers]
    served = [each.recipe for layer in layers for each in layer.served]
    own = frozenset(program for layer in layers for program in layer.programs)
    return own | _needed(cookbook, served) if served else own
