"""The recipes that are shipped, without making them: what pods rely on."""

from __future__ import annotations

from pathlib import Path

import pytest

from clusters import process
from clusters.embedded import images
from clusters.embedded.images.content import gather
from clusters.embedded.images.layer import FileCapability
from clusters.embedded.images.recipe import Config, Cookbook, load_cookbook
from clusters.provider import ImageRole

SCRIPTS = sorted(images.RECIPES.glob("*/*.sh"))


@pytest.fixture(scope="module")
def cookbook() -> Cookbook:
    return load_cookbook(images.RECIPES)


def _config(cookbook: Cookbook, name: str) -> Config:
    config = cookbook.recipes[name].config
    assert config is not None
    return config


def test_every_role_has_a_recipe_and_no_other_image_is_made(cookbook: Cookbook) -> None:
    assert set(cookbook.images()) == {*ImageRole, "pause"}


def test_images_need_these_programs_of_the_toolchain() -> None:
    assert images.needed_programs() == {"buildctl", "buildkitd", "rootlesskit", "runc"}


def test_maps_of_subordinate_ids_are_written_by_file_capabilities(cookbook: Cookbook) -> None:
    layers = cookbook.recipes["buildkit-rootless"].layers
    granted = {grant.path: grant.capabilities for layer in layers for grant in layer.grants}
    assert granted == {
        "/usr/bin/newuidmap": [FileCapability.SETUID],
        "/usr/bin/newgidmap": [FileCapability.SETGID],
    }


def test_rootless_builder_starts_as_user_1000_with_its_state_in_its_home(cookbook: Cookbook) -> None:
    config = _config(cookbook, "buildkit-rootless")
    assert config.user == "1000:1000"
    assert config.entrypoint == ["rootlesskit", "buildkitd"]
    assert {"HOME", "XDG_RUNTIME_DIR", "TMPDIR", "BUILDKIT_HOST"} <= config.environment.keys()


@pytest.mark.parametrize("name", ["app", "fixtures", "buildkit-rootless"])
def test_images_of_unprivileged_pods_name_a_numeric_user(cookbook: Cookbook, name: str) -> None:
    assert _config(cookbook, name).user == "1000:1000", "runAsNonRoot needs a number that is not 0"


def test_user_1000_is_in_the_base_and_has_subordinate_ids(cookbook: Cookbook) -> None:
    base = cookbook.folder / "base"
    assert "user:x:1000:1000::/home/user:" in (base / "passwd").read_text()
    assert "user:x:1000:" in (base / "group").read_text()
    assert (cookbook.folder / "buildkit-rootless" / "subid").read_text() == "user:100000:65536\n"


def test_scripts_of_the_fixtures_can_be_run_by_their_names(cookbook: Cookbook) -> None:
    layers = cookbook.recipes["fixtures"].layers
    modes = {file.path: file.mode for layer in layers for file in layer.files if file.source.endswith(".sh")}
    assert modes == dict.fromkeys(
        ("/usr/local/bin/make-repositories", "/usr/local/bin/serve-git", "/usr/local/bin/serve-registry"), 0o755
    )


def test_seed_lies_in_the_fixtures_image(cookbook: Cookbook) -> None:
    layer = cookbook.recipes["fixtures"].layers[0].model_copy(update={"programs": {}})
    entries = gather(layer, folder=cookbook.folder / "fixtures", debs=[], drop=[], programs={})
    seed = "usr/share/fixtures/seed/hello"
    assert {f"{seed}/main/Dockerfile", f"{seed}/main/app/Dockerfile", f"{seed}/tags/v1/hello.txt"} <= entries.keys()


@pytest.mark.parametrize("script", SCRIPTS, ids=[path.name for path in SCRIPTS])
def test_script_is_read_by_a_posix_shell(script: Path) -> None:
    process.run(["sh", "-n", script])


@pytest.fixture
def served(tmp_path: Path) -> Path:
    script = images.RECIPES / "fixtures" / "make-repositories.sh"
    busybox = tmp_path / "busybox"
    busybox.write_bytes(b"static")
    root = tmp_path / "git"
    root.mkdir()
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(tmp_path), "BUSYBOX": str(busybox)}
    (root / "hello.git.tmp").mkdir()
    (root / "hello.git.tmp" / "left-by-an-interrupted-start").touch()
    process.run(["sh", script, images.RECIPES / "fixtures" / "seed", root], env=environment, timeout=60)
    return root / "hello.git"


def _git(repository: Path, *words: str) -> str:
    return process.run(["git", "--git-dir", repository, *words], timeout=60).stdout


def test_repository_has_the_branches_and_the_tag_with_different_content(served: Path) -> None:
    content = {name: _git(served, "show", f"{name}:hello.txt") for name in ("main", "feature", "v1")}
    assert content == {"main": "hello from main\n", "feature": "hello from feature\n", "v1": "hello from v1\n"}
    assert _git(served, "symbolic-ref", "HEAD").strip() == "refs/heads/main"


def test_repository_has_a_busybox_beside_every_dockerfile(served: Path) -> None:
    files = _git(served, "ls-tree", "-r", "--name-only", "main").split()
    assert {"Dockerfile", "busybox", "app/Dockerfile", "app/busybox"} <= set(files)
    assert _git(served, "show", "main:app/busybox") == "static"


def test_repository_has_more_history_than_a_shallow_clone(served: Path) -> None:
    assert int(_git(served, "rev-list", "--count", "main")) > 1


def test_repository_has_the_same_commits_wherever_it_is_made(served: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    again.mkdir()
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/", "BUSYBOX": str(tmp_path / "busybox")}
    script = images.RECIPES / "fixtures" / "make-repositories.sh"
    process.run(["sh", script, images.RECIPES / "fixtures" / "seed", again], env=environment, timeout=60)
    assert _git(again / "hello.git", "for-each-ref") == _git(served, "for-each-ref")
