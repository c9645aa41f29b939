"""The images of the embedded cluster, assembled on this machine from the recipes in `images/`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from clusters.embedded.images import store
from clusters.embedded.images.assemble import assemble
from clusters.embedded.images.recipe import Cookbook, load_cookbook
from clusters.embedded.images.store import ImageSet, prune
from clusters.errors import ClustersError, UsageError
from clusters.paths import CHECKOUT
from clusters.provider import ImageRole, Progress

__all__ = ["ImageSet", "ensure", "needed_programs", "prune"]

RECIPES = CHECKOUT / "images"


def needed_programs() -> frozenset[str]:
    """Return the names of the toolchain's programs that the images hold. Raises UsageError for a bad recipe."""
    return _needed(_load())


def ensure(binaries: Mapping[str, Path], progress: Progress) -> ImageSet:
    """Return the images made of these programs, from the cache when nothing that affects them has changed.

    `binaries` are the toolchain's programs by name; those that no recipe names are ignored.
    Raises UsageError for a bad recipe, UnavailableError when apt, its keyring or room is missing, CommandError when
    packages cannot be fetched. What was interrupted leaves nothing that looks finished.
    """
    cookbook = _load()
    needed = _needed(cookbook)
    if missing := sorted(needed - binaries.keys()):
        raise ClustersError(f"the images need {', '.join(missing)}: have the toolchain build them first")
    programs = {name: binaries[name] for name in sorted(needed)}
    key = store.key_of(cookbook, programs)
    if (found := store.find(key)) is not None:
        return found
    with store.locked(progress):
        # Whoever held the lock may have made just this.
        if (found := store.find(key)) is not None:
            return found
        return _assemble(cookbook, programs, key, progress)


def _assemble(cookbook: Cookbook, programs: Mapping[str, Path], key: str, progress: Progress) -> ImageSet:
    try:
        with store.unfinished() as folder:
            record = assemble(cookbook, programs, folder, progress)
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


def _needed(cookbook: Cookbook) -> frozenset[str]:
    layers = [layer for recipe in cookbook.recipes.values() for layer in recipe.layers]
    return frozenset(name for layer in layers for name in layer.programs)
