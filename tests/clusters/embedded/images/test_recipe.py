from __future__ import annotations

from pathlib import Path

import pytest

from clusters.embedded.images.recipe import load_cookbook
from clusters.errors import UsageError
from clusters.provider import ImageRole


def test_cookbook_gives_the_chain_of_an_image_lowest_first(cookbook_folder: Path) -> None:
    cookbook = load_cookbook(cookbook_folder)
    assert cookbook.chain("buildkit-rootless") == ("base", "fixtures", "buildkit-rootless")


def test_chain_of_two_bases_has_what_they_share_once(cookbook_folder: Path) -> None:
    path = cookbook_folder / "buildkit-rootless" / "recipe.toml"
    path.write_text(path.read_text().replace('bases = ["fixtures"]', 'bases = ["fixtures", "app"]'))
    assert load_cookbook(cookbook_folder).chain("buildkit-rootless") == ("base", "fixtures", "app", "buildkit-rootless")


def test_cookbook_counts_only_recipes_with_a_config_as_images(cookbook_folder: Path) -> None:
    assert set(load_cookbook(cookbook_folder).images()) == {*ImageRole, "pause"}


def _served(recipe: str, name: str = "lib", platforms: str = "[]") -> str:
    return f'served = [{{ recipe = "{recipe}", path = "/srv", name = "{name}", platforms = {platforms} }}]'


@pytest.mark.parametrize(
    ("before", "after", "key"),
    [
        ('summary = "git"', 'sumary = "git"', "layers[0].sumary"),
        ('summary = "git"', "summary = 1", "layers[0].summary"),
        ('packages = ["git"]', 'packages = ["Git!"]', "layers[0].packages[0]"),
        ('drop = ["/usr/bin/gitk"]', 'drop = ["usr/bin/gitk"]', "layers[0].drop[0]"),
        ("[config]", '[config]\nentrypoint = "git"', "config.entrypoint"),
        ("[config]", '[[layers.grants]]\npath = "/x"\ncapabilities = ["cap_sys_admin"]', "grants[0].capabilities[0]"),
        ('bases = ["base"]', 'bases = ["bass"]', "bases: there is no recipe 'bass'"),
        ('bases = ["base"]', 'bases = ["fixtures"]', "goes in a circle"),
        ("[config]", '[[layers.files]]\npath = "/x"\nsource = "gone"', "layers[0].files[0].source"),
        ('summary = "git"', "summary =", "is no TOML"),
        ('packages = ["git"]', _served("base"), "layers[0].served[0].recipe: there is no image 'base'"),
        ('packages = ["git"]', _served("fixtures"), "layers[0].served[0].recipe: 'fixtures' serves images itself"),
        ('packages = ["git"]', _served("app", name="Lib"), "layers[0].served[0].name"),
        ('packages = ["git"]', _served("app", platforms='["s390x"]'), "layers[0].served[0].platforms[0]"),
    ],
)
def test_recipe_with_a_mistake_is_refused_by_file_and_key(
    cookbook_folder: Path, before: str, after: str, key: str
) -> None:
    path = cookbook_folder / "fixtures" / "recipe.toml"
    path.write_text(path.read_text().replace(before, after))
    with pytest.raises(UsageError) as refused:
        load_cookbook(cookbook_folder)
    assert str(path) in str(refused.value)
    assert key in str(refused.value)


def test_recipe_of_nothing_is_refused(cookbook_folder: Path) -> None:
    path = cookbook_folder / "kaniko" / "recipe.toml"
    path.write_text('summary = "nothing"\n')
    with pytest.raises(UsageError, match="it has neither bases nor layers"):
        load_cookbook(cookbook_folder)


def test_all_mistakes_of_a_recipe_are_said_at_once(cookbook_folder: Path) -> None:
    path = cookbook_folder / "app" / "recipe.toml"
    path.write_text(path.read_text().replace("user =", "usr =").replace("command =", "comand ="))
    with pytest.raises(UsageError, match=r"(?s)config\.usr.*config\.comand"):
        load_cookbook(cookbook_folder)


def test_folder_without_debian_toml_is_refused_with_its_path(cookbook_folder: Path) -> None:
    (cookbook_folder / "debian.toml").unlink()
    with pytest.raises(UsageError, match=r"debian\.toml cannot be read"):
        load_cookbook(cookbook_folder)


def test_folder_without_recipes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no recipes"):
        load_cookbook(tmp_path)
