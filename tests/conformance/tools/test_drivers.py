"""What each tool is told: the words of its command line, and where it says what it pushed."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from clusters import process
from clusters.provider import ImageRole
from conformance.errors import UsageError
from conformance.matrix import MATRICES, load_builders
from conformance.model import Builder, Client, Tool, Topology
from conformance.tools import DIGEST_MARK, Build, driver_of
from conformance.tools.kaniko import git_context
from tests.conformance.records import builder

GIT = "git://git.test/hello.git#main"
NAME = "registry.test:5000/cell:tag"
DIGEST = f"sha256:{'a' * 64}"


def of(**changes: object) -> Builder:
    return builder("b", **changes)


SIDECAR = of()
EVERY = {
    "buildctl": SIDECAR,
    "daemonless": of(topology=Topology.ONE_SHOT),
    "buildx": of(client=Client.BUILDX),
    "buildah": of(tool=Tool.BUILDAH, topology=Topology.ONE_SHOT, image=ImageRole.BUILDAH),
    "podman": of(tool=Tool.PODMAN, topology=Topology.ONE_SHOT, image=ImageRole.PODMAN),
    "kaniko": of(tool=Tool.KANIKO, topology=Topology.ONE_SHOT, image=ImageRole.KANIKO),
}


def words(script: str) -> list[str]:
    return shlex.split(script.replace("\n", " ; "))


@pytest.mark.parametrize("one", EVERY.values(), ids=EVERY)
def test_a_build_that_is_not_pushed_names_no_registry_and_says_no_digest(one: Builder) -> None:
    for build in (Build(), Build(git=GIT)):
        script = driver_of(one).script(build)
        assert "registry.test" not in script
        assert DIGEST_MARK not in script
        assert ("git.test" in script) is bool(build.git)


@pytest.mark.parametrize("one", EVERY.values(), ids=EVERY)
def test_a_pushed_build_says_the_digest_that_the_tool_itself_wrote(one: Builder, tmp_path: Path) -> None:
    """Run the script with every program replaced by one that writes the files it is told to."""
    script = driver_of(one).script(Build(git=GIT, push=NAME))
    assert NAME in script
    fake = tmp_path / "bin"
    fake.mkdir()
    metadata = f'{{\n  "buildx.build.ref": "x",\n  "containerimage.digest": "{DIGEST}",\n  "image.name": "n"\n}}'
    (fake / "tool").write_text(
        '#!/bin/sh\nfor word in "$@"; do case $word in\n'
        f"--metadata-file=*) printf '%s' '{metadata}' > \"${{word#*=}}\";;\n"
        f"--digestfile=*|--digest-file=*) printf '{DIGEST}' > \"${{word#*=}}\";;\nesac; done\n"
    )
    (fake / "tool").chmod(0o755)
    for name in ("buildctl", "buildctl-daemonless.sh", "docker", "buildah", "podman", "executor"):
        (fake / name).symlink_to("tool")
    here = script.replace("/kaniko/executor", "executor").replace("/workspace/", f"{tmp_path}/")
    here = here.replace("/tmp/conformance", f"{tmp_path}/conformance")  # noqa: S108 - where the pod has it
    done = process.run(["sh", "-eu", "-c", here], env={"PATH": f"{fake}:/usr/bin:/bin", "BUILDKIT_HOST": "unix:///s"})
    assert f"{DIGEST_MARK}{DIGEST}" in done.stdout.splitlines()


@pytest.mark.parametrize("one", EVERY.values(), ids=EVERY)
def test_nothing_is_taken_from_a_cache(one: Builder) -> None:
    script = driver_of(one).script(Build(git=GIT, push=NAME))
    # kaniko has none unless it is asked for with --cache.
    assert "--no-cache" in script or one.tool is Tool.KANIKO
    assert "--cache" not in script


@pytest.mark.parametrize("one", EVERY.values(), ids=EVERY)
def test_a_hostile_git_context_stays_one_word(one: Builder) -> None:
    hostile = "https://git.test/a b.git#x'; touch /pwned; echo '$(id)`id`"
    found = [word for word in words(driver_of(one).script(Build(git=hostile))) if "pwned" in word]
    assert len(found) == 1
    assert "'; touch /pwned; echo '$(id)`id`" in found[0]


def test_a_standalone_daemon_is_found_by_the_flags_of_its_connection() -> None:
    flags = ("--addr", "tcp://b.ns.svc:1234", "--tlscacert", "/certs/ca.pem")
    driver = driver_of(of(topology=Topology.STANDALONE), flags)
    assert driver.hello() == ("buildctl", *flags, "debug", "workers")
    assert words(driver.script(Build()))[: 1 + len(flags)] == ["buildctl", *flags]


def test_a_tool_gets_the_arguments_of_its_builder() -> None:
    isolated = of(tool=Tool.BUILDAH, topology=Topology.ONE_SHOT, args=("--isolation=rootless",))
    assert "--isolation=rootless" in words(driver_of(isolated).script(Build()))


def test_what_nothing_drives_is_refused_with_what_there_is() -> None:
    with pytest.raises(UsageError, match="nothing drives buildah as sidecar by buildctl"):
        driver_of(of(tool=Tool.BUILDAH))


@pytest.mark.parametrize("name", load_builders(MATRICES / "builders"))
def test_every_builder_of_the_matrices_is_driven(name: str) -> None:
    assert driver_of(load_builders(MATRICES / "builders")[name]).hello()


@pytest.mark.parametrize(
    ("url", "setting", "flags"),
    [
        ("http://h:8080/r.git#main", "GIT_PULL_METHOD=http ", ["--context=git://h:8080/r.git#refs/heads/main"]),
        ("https://h/r.git", "", ["--context=git://h/r.git"]),
        ("https://h/r.git#b:sub", "", ["--context=git://h/r.git#refs/heads/b", "--context-sub-path=sub"]),
        (f"https://h/r.git#{'0a' * 20}", "", [f"--context=git://h/r.git#{'0a' * 20}"]),
        ("git://h/r.git#main", "", ["--context=git://h/r.git#main"]),
    ],
)
def test_kaniko_is_told_of_a_git_context_in_its_own_words(url: str, setting: str, flags: list[str]) -> None:
    said, found = git_context(url)
    assert (said, shlex.split(" ".join(found))) == (setting, flags)
