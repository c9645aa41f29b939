"""The command line of Radius' recipe, and what is read out of what it says."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from clusters import process
from conformance.model import Client
from conformance.tools import DIGEST_MARK, Build, driver_of
from conformance.tools.radius_recipe import RadiusRecipe
from tests.conformance.records import builder

GIT = "git://git.test/hello.git#main"
NAME = "registry.test:5000/cell:tag"
DIGEST = f"sha256:{'a' * 64}"
OTHER = f"sha256:{'b' * 64}"
RECIPE = builder(client=Client.RADIUS_RECIPE)


def run(tmp_path: Path, build: Build, *, says: str = "", code: int = 0) -> tuple[process.Completed, list[str]]:
    """Run the driver's script with a `buildctl` that notes its words; return how it ended, and the words."""
    tools = tmp_path / "bin"
    tools.mkdir()
    noted = tmp_path / "noted"
    (tools / "buildctl").write_text(
        f"#!/bin/sh\nprintf '%s\\n' \"$@\" > {noted}\nprintf '%s\\n' {shlex.quote(says)} >&2\nexit {code}\n"
    )
    (tools / "uname").write_text("#!/bin/sh\necho aarch64\n")
    for tool in tools.iterdir():
        tool.chmod(0o755)
    script = driver_of(RECIPE).script(build).replace("/tmp/conformance", f"{tmp_path}/conformance")  # noqa: S108 - the pod's
    environment = {"PATH": f"{tools}:/usr/bin:/bin"}
    done = process.run(["sh", "-c", f"set -eu\n{script}"], env=environment, check=False, timeout=60)
    return done, noted.read_text().splitlines()


def test_a_builder_asks_for_the_recipe_by_its_client() -> None:
    assert isinstance(driver_of(RECIPE), RadiusRecipe)


def test_a_push_is_the_recipes_command_line_word_for_word(tmp_path: Path) -> None:
    _, words = run(tmp_path, Build(git=GIT, push=NAME))
    assert words == [
        *("build", "--frontend", "dockerfile.v0"),
        *("--opt", f"context={GIT}", "--opt", "filename=Dockerfile", "--opt", "platform=linux/arm64"),
        *("--output", f"type=image,name={NAME},push=true"),
    ]


def test_the_digest_is_the_one_that_the_last_push_names(tmp_path: Path) -> None:
    says = "\n".join(
        (
            f"#5 exporting manifest {OTHER} done",
            f"#5 pushing manifest for {NAME}@{OTHER}",
            f"#5 pushing manifest for {NAME}@{DIGEST} 0.1s done",
            "#5 DONE 0.2s",
        )
    )
    done, _ = run(tmp_path, Build(git=GIT, push=NAME), says=says)
    assert done.returncode == 0
    assert f"{DIGEST_MARK}{DIGEST}" in done.stdout.splitlines()
    assert "#5 DONE 0.2s" in done.stdout


@pytest.mark.parametrize("build", [Build(git=GIT, push=NAME), Build(git=GIT)])
def test_a_build_that_fails_fails_and_is_heard(tmp_path: Path, build: Build) -> None:
    done, _ = run(tmp_path, build, says=f"pushing manifest for {NAME}@{DIGEST}: denied", code=7)
    assert done.returncode != 0
    assert "denied" in done.stdout + done.stderr
    assert DIGEST_MARK not in done.stdout


def test_an_earlier_build_that_ended_well_does_not_stand_for_a_later_one(tmp_path: Path) -> None:
    (tmp_path / "conformance-recipe.ended-well").touch()
    assert run(tmp_path, Build(git=GIT, push=NAME), code=1)[0].returncode != 0


def test_a_build_that_is_not_pushed_leaves_out_the_output_alone(tmp_path: Path) -> None:
    _, words = run(tmp_path, Build(git=GIT))
    assert words[-2:] == ["--opt", "platform=linux/arm64"]
    assert "--output" not in words


def test_a_local_context_is_the_plain_clients() -> None:
    assert driver_of(RECIPE).script(Build()) == driver_of(builder()).script(Build())


def test_a_hostile_git_context_stays_one_word(tmp_path: Path) -> None:
    hostile = "https://git.test/a b.git#x'; exit 9; echo '$(id)`id`"
    _, words = run(tmp_path, Build(git=hostile))
    assert f"context={hostile}" in words
