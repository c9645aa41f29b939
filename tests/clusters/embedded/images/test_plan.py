from __future__ import annotations

from pathlib import Path

from clusters.embedded.images.layer import Architecture
from clusters.embedded.images.plan import Planner, key_of_set
from clusters.embedded.images.recipe import load_cookbook


def _planner(folder: Path, program: Path) -> Planner:
    return Planner(load_cookbook(folder), {"buildctl": program})


def test_layer_without_packages_is_the_same_above_any_other(cookbook_folder: Path, program: Path) -> None:
    recipe = cookbook_folder / "buildkit-rootful" / "recipe.toml"
    recipe.write_text(recipe.read_text().replace('bases = ["base"]', 'bases = ["fixtures"]'))
    planner = _planner(cookbook_folder, program)
    above_base, above_git = planner.image("app").layers[-1], planner.image("buildkit-rootful").layers[-1]
    assert above_base.layer == above_git.layer
    assert above_base.key == above_git.key


def test_layer_with_packages_depends_on_which_are_below_it(cookbook_folder: Path, program: Path) -> None:
    recipe = cookbook_folder / "buildah" / "recipe.toml"
    first = _planner(cookbook_folder, program).image("buildah").layers[-1]
    recipe.write_text(recipe.read_text().replace('bases = ["base"]', 'bases = ["fixtures"]'))
    second = _planner(cookbook_folder, program).image("buildah").layers[-1]
    assert (first.asked, second.asked) == (("busybox", "buildah"), ("busybox", "git", "buildah"))
    assert first.key != second.key


def test_image_for_another_architecture_is_another_one(cookbook_folder: Path, program: Path) -> None:
    planner = _planner(cookbook_folder, program)
    keys = {planner.image("buildah", platform).key for platform in Architecture}
    assert len(keys) == len(Architecture)


def test_set_is_told_apart_by_its_images(cookbook_folder: Path, program: Path) -> None:
    planner = _planner(cookbook_folder, program)
    app, pause = planner.image("app"), planner.image("pause")
    assert key_of_set([app]) != key_of_set([app, pause])


def test_served_image_decides_the_layer_that_serves_it(cookbook_folder: Path, program: Path) -> None:
    recipe = cookbook_folder / "fixtures" / "recipe.toml"
    served = 'served = [{ recipe = "app", path = "/srv", name = "lib" }]\n'
    recipe.write_text(recipe.read_text().replace('packages = ["git"]\n', f'packages = ["git"]\n{served}'))
    first = _planner(cookbook_folder, program).image("fixtures").key
    program.write_bytes(program.read_bytes() + b"other")
    assert _planner(cookbook_folder, program).image("fixtures").key != first
