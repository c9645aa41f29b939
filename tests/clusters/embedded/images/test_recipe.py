from __future__ import annotations

from pathlib import Path

import pytest

from clusters.embedded.images.recipe import load_cookbook
from clusters.errors import UsageError


def test_cookbook_gives_the_chain_of_an_image_lowest_first(cookbook_folder: Path) -> None:
    cookbook = load_cookbook(cookbook_folder)
    assert cookbook.chain("buildkit-rootless") == ("base", "fixtures", "buildkit-rootless")


def test_cookbook_counts_only_recipes_with_a_config_as_images(cookbook_folder: Path) -> None:
    assert load_cookbook(cookbook_folder).images() == (
        "app",
        "buildkit-rootful",
        "buildkit-rootless",
        "fixtures",
        "pause",
    )


@pytest.mark.parametrize(
    ("before", "after", "key"),
    [
        ('summary = "git"', 'sumary = "git"', "layers[0].sumary"),
        ('summary = "git"', "summary = 1", "layers[0].summary"),
        ('packages = ["git"]', 'packages = ["Git!"]', "layers[0].packages[0]"),
        ('drop = ["/usr/bin/gitk"]', 'drop = ["usr/bin/gitk"]', "layers[0].drop[0]"),
        ("[config]", '[config]\nentrypoint = "git"', "config.entrypoint"),
        ("[config]", '[[layers.grants]]\npath = "/x"\ncapabilities = ["cap_sys_admin"]', "grants[0].capabilities[0]"),
        ('base = "base"', 'base = "bass"', "base: there is no recipe 'bass'"),
        ('base = "base"', 'base = "fixtures"', "goes in a circle"),
        ("[config]", '[[layers.files]]\npath = "/x"\nsource = "gone"', "layers[0].files[0].source"),
        ('summary = "git"', "summary =", "is no TOML"),
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
