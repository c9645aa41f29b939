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
    assert set(cookbook.images()) == {*ImageRole, "library-base", "pause"}


def test_images_need_these_programs_of_the_toolchain() -> None:
    basic = {"buildctl", "buildkitd", "dockerfile-frontend", "rootlesskit", "runc"}
    assert images.needed_programs() == basic
    assert images.needed_programs({ImageRole.KANIKO, ImageRole.BUILDAH}) == {"kaniko"}
    assert images.needed_programs({ImageRole.BUILDX}) == {"buildctl", "docker", "docker-buildx"}


def test_maps_of_subordinate_ids_are_written_by_file_capabilities(cookbook: Cookbook) -> None:
    layers = cookbook.recipes["rootless"].layers
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
    assert (cookbook.folder / "rootless" / "subid").read_text() == "user:100000:65536\n"


def test_scripts_of_the_fixtures_can_be_run_by_their_names(cookbook: Cookbook) -> None:
    layers = cookbook.recipes["fixtures"].layers
    modes = {file.path: file.mode for layer in layers for file in layer.files if file.source.endswith(".sh")}
    assert modes == dict.fromkeys(
        ("/usr/local/bin/make-repositories", "/usr/local/bin/serve-git", "/usr/local/bin/serve-registry"), 0o755
    )


def test_seed_lies_in_the_fixtures_image(cookbook: Cookbook) -> None:
    layer = cookbook.recipes["fixtures"].layers[0].model_copy(update={"programs": {}})
    entries = gather(layer, folder=cookbook.folder / "fixtures", debs=[], drop=[], programs={}, served={})
    seed = "usr/share/fixtures/seed/hello"
    assert {f"{seed}/main/Dockerfile", f"{seed}/main/app/Dockerfile", f"{seed}/tags/v1/hello.txt"} <= entries.keys()


@pytest.mark.parametrize("name", ["buildah", "podman"])
def test_builder_without_a_daemon_has_its_maps_and_its_configuration(cookbook: Cookbook, name: str) -> None:
    layers = [layer for part in cookbook.chain(name) for layer in cookbook.recipes[part].layers]
    files = {file.path for layer in layers for file in layer.files}
    wanted = {f"/etc/containers/{each}" for each in ("policy.json", "registries.conf", "storage.conf")}
    assert files >= {"/etc/subuid", "/etc/subgid"} | wanted
    assert {grant.path for layer in layers for grant in layer.grants} == {"/usr/bin/newuidmap", "/usr/bin/newgidmap"}
    assert _config(cookbook, name).user == "1000:1000"


def test_kaniko_keeps_what_it_needs_where_it_removes_nothing(cookbook: Cookbook) -> None:
    layers = cookbook.recipes["kaniko"].layers
    programs = [path for layer in layers for path in layer.programs.values()]
    joined = [each.path for layer in layers for each in layer.joined]
    assert cookbook.chain("kaniko") == ("kaniko",)
    assert all(path.startswith(("/kaniko/", "/busybox/")) for path in (*programs, *joined))
    assert _config(cookbook, "kaniko").volumes == ["/busybox"]


def test_old_buildkit_differs_from_the_new_in_its_version_alone(cookbook: Cookbook) -> None:
    for name in ("buildkit-rootless", "buildkit-rootful"):
        assert _config(cookbook, f"{name}-v0.14") == _config(cookbook, name)
        assert [part.removesuffix("-v0.14") for part in cookbook.chain(f"{name}-v0.14")] == [*cookbook.chain(name)]


def test_frontend_says_of_itself_what_buildkit_asks(cookbook: Cookbook) -> None:
    config = _config(cookbook, "frontend")
    assert config.entrypoint == ["/bin/dockerfile-frontend"]
    assert config.labels["moby.buildkit.frontend.network.none"] == "true"
    assert "moby.buildkit.frontend.inputs" in config.labels["moby.buildkit.frontend.caps"]


def test_registry_of_the_fixtures_has_a_base_for_both_architectures_and_the_frontend(cookbook: Cookbook) -> None:
    served = [each for layer in cookbook.recipes["fixtures"].layers for each in layer.served]
    assert {each.name: [*each.platforms] for each in served} == {
        "library/base": ["amd64", "arm64"],
        "library/frontend": [],
    }
    assert {each.path for each in served} == {"/usr/share/fixtures/registry"}
    assert "cp -R /usr/share/fixtures/registry/." in (cookbook.folder / "fixtures/serve-registry.sh").read_text()


@pytest.fixture
def daemonless(tmp_path: Path) -> Path:
    """Make a buildctl and a buildkitd that tell what they are asked; the daemon runs until it is killed."""
    client = 'case "$*" in *"debug workers") [ -e up ] && exit; exit 1 ;; esac\necho "client $*" >>told\nexit 7\n'
    daemon = 'echo "daemon $*" >>told\ntouch up\ntrap "echo stopped >>told; exit" TERM\nwhile :; do sleep 0.1; done\n'
    for name, text in {"client": client, "daemon": daemon, "starter": 'exec "$@"\n'}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}")
        (tmp_path / name).chmod(0o755)
    return tmp_path


def _build_daemonless(folder: Path, **more: str) -> process.Completed:
    programs = {"BUILDCTL": "./client", "BUILDKITD": "./daemon", "ROOTLESSKIT": "./starter"}
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "TMPDIR": str(folder), **programs, **more}
    script = images.RECIPES / "builder" / "buildctl-daemonless.sh"
    return process.run(["sh", script, "build", "--x"], cwd=folder, env=environment, check=False, timeout=30)


def test_build_without_a_daemon_has_one_as_long_as_it_takes(daemonless: Path) -> None:
    done = _build_daemonless(daemonless, BUILDKITD_FLAGS="--a --b")
    told = (daemonless / "told").read_text().splitlines()
    socket = told[0].rsplit("--addr=", 1)[1]
    assert told == [f"daemon --a --b --addr={socket}", f"client --addr={socket} build --x", "stopped"]
    assert done.returncode == 7, "it ends as the client does"


def test_build_without_a_daemon_shows_the_log_of_one_that_does_not_come_up(daemonless: Path) -> None:
    (daemonless / "daemon").write_text("#!/bin/sh\necho cannot\nexit 1\n")
    done = _build_daemonless(daemonless, BUILDCTL_CONNECT_RETRIES_MAX="1")
    assert done.returncode == 1
    assert "no buildkitd at unix:" in done.stderr
    assert "cannot" in done.stderr
    assert not (daemonless / "told").exists()


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
