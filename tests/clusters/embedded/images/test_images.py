from __future__ import annotations

import json
import tarfile
from pathlib import Path
from threading import Event, Thread
from typing import Protocol

import filelock
import pytest

from clusters.embedded import images
from clusters.embedded.images import store
from clusters.errors import ClustersError, CommandError, UnavailableError, UsageError
from clusters.provider import BASIC_IMAGES, ImageRole


class Apt(Protocol):
    """The faked apt: what it was asked, and the word it fails at."""

    calls: list[tuple[str, ...]]
    broken: str | None


def _quiet(_: str) -> None:
    return


@pytest.mark.usefixtures("small_debian")
def test_ensure_gives_an_archive_an_image_for_each_role_and_a_pause(program: Path) -> None:
    made = images.ensure({"buildctl": program, "not-needed": program}, _quiet)
    assert made.archive.is_file()
    assert set(made.images) == BASIC_IMAGES
    assert made.pause.startswith("localhost/conformance/pause:")
    app = made.images[ImageRole.APP]
    assert app.reference == f"localhost/conformance/app:{app.digest[7:19]}"
    assert app.origin == (
        "assembled from Debian bookworm packages and github.com/moby/buildkit v0.31.2 built from source"
    )
    assert made.images[ImageRole.FIXTURES].origin == "assembled from Debian bookworm packages"


@pytest.mark.usefixtures("small_debian")
def test_ensure_writes_what_two_images_share_once(program: Path) -> None:
    made = images.ensure({"buildctl": program}, _quiet)
    record = json.loads((made.archive.parent / "images.json").read_text())
    layers = {image["name"]: [layer["digest"] for layer in image["layers"]] for image in record["images"]}
    assert layers["app"] == layers["buildkit-rootful"], "the same program above the same base"
    assert layers["fixtures"] == layers["buildkit-rootless"][:2]
    assert record["packages"] == dict.fromkeys(("busybox", "git", "libc", "uidmap"), "1:1.0-1")
    with tarfile.open(made.archive) as tar:
        assert len(tar.getnames()) == len(set(tar.getnames()))


@pytest.mark.usefixtures("small_debian")
def test_package_of_a_lower_layer_is_not_unpacked_again(program: Path) -> None:
    made = images.ensure({"buildctl": program}, _quiet)
    record = json.loads((made.archive.parent / "images.json").read_text())
    (rootless,) = (image for image in record["images"] if image["name"] == "buildkit-rootless")
    with tarfile.open(made.archive) as tar:
        blob = tar.extractfile(f"blobs/sha256/{rootless['layers'][-1]['digest'][7:]}")
        with tarfile.open(fileobj=blob) as layer:
            assert [name for name in layer.getnames() if not layer.getmember(name).isdir()] == ["usr/bin/newuidmap"]


def test_ensure_does_nothing_when_nothing_has_changed(small_debian: Apt, program: Path) -> None:
    first = images.ensure({"buildctl": program}, _quiet)
    small_debian.calls.clear()
    said: list[str] = []
    assert images.ensure({"buildctl": program}, said.append) == first
    assert small_debian.calls == []
    assert said == []


@pytest.mark.usefixtures("small_debian")
def test_same_inputs_give_the_same_digests_again(program: Path) -> None:
    first = images.ensure({"buildctl": program}, _quiet)
    digests = {role: image.digest for role, image in first.images.items()}
    archive = first.archive.read_bytes()
    assert images.prune() > 0
    again = images.ensure({"buildctl": program}, _quiet)
    assert {role: image.digest for role, image in again.images.items()} == digests
    assert again.archive.read_bytes() == archive


@pytest.mark.parametrize("change", ["program", "recipe", "file", "debian"])
@pytest.mark.usefixtures("small_debian")
def test_ensure_makes_images_anew_when_what_they_are_made_of_changes(
    change: str, program: Path, cookbook_folder: Path
) -> None:
    first = images.ensure({"buildctl": program}, _quiet)
    path, old, new = {
        "program": (program, b"v0.31.2", b"v0.31.3"),
        "recipe": (cookbook_folder / "app" / "recipe.toml", b"/bin/sh", b"/bin/ash"),
        "file": (cookbook_folder / "base" / "passwd", b"root", b"toor"),
        "debian": (cookbook_folder / "debian.toml", b"bookworm", b"trixie"),
    }[change]
    path.write_bytes(path.read_bytes().replace(old, new))
    assert images.ensure({"buildctl": program}, _quiet).archive != first.archive


@pytest.mark.usefixtures("small_debian")
def test_ensure_makes_nothing_anew_when_only_a_comment_or_another_image_changes(
    program: Path, cookbook_folder: Path
) -> None:
    first = images.ensure({"buildctl": program}, _quiet)
    for name in ("app", "buildah"):
        recipe = cookbook_folder / name / "recipe.toml"
        recipe.write_text(recipe.read_text().replace('summary = "buildah"', 'summary = "other"') + "# changed\n")
    assert images.ensure({"buildctl": program}, _quiet) == first


def test_image_that_is_added_uses_the_layers_there_are(small_debian: Apt, program: Path) -> None:
    images.ensure({"buildctl": program}, _quiet)
    before = {path.name: path.stat().st_mtime_ns for path in (store.images_dir() / "layers").iterdir()}
    small_debian.calls.clear()
    made = images.ensure({"buildctl": program}, _quiet, BASIC_IMAGES | {ImageRole.BUILDAH})
    assert set(made.images) == BASIC_IMAGES | {ImageRole.BUILDAH}
    downloads = [words for program, *words in small_debian.calls if words[0] == "download"]
    assert downloads == [["download", "buildah=1:1.0-1", "libc=1:1.0-1"]]
    after = {path.name: path.stat().st_mtime_ns for path in (store.images_dir() / "layers").iterdir()}
    assert len(after) == len(before) + 1
    assert before.items() <= after.items()


@pytest.mark.usefixtures("small_debian")
def test_image_has_the_same_digest_whatever_else_is_made(program: Path) -> None:
    together = images.ensure({"buildctl": program}, _quiet, BASIC_IMAGES | {ImageRole.BUILDAH})
    images.prune()
    alone = images.ensure({"buildctl": program}, _quiet, {ImageRole.BUILDAH})
    assert alone.images[ImageRole.BUILDAH] == together.images[ImageRole.BUILDAH]
    assert set(alone.images) == {ImageRole.BUILDAH}


@pytest.mark.usefixtures("small_debian")
def test_programs_of_images_that_are_not_asked_for_are_not_needed(program: Path) -> None:
    assert "kaniko" not in images.needed_programs()
    assert images.needed_programs({ImageRole.KANIKO}) == {"kaniko"}
    with pytest.raises(ClustersError, match="the images need kaniko"):
        images.ensure({"buildctl": program}, _quiet, {ImageRole.KANIKO})


def test_interrupted_assembly_leaves_nothing_behind(small_debian: Apt, program: Path) -> None:
    small_debian.broken = "download"
    with pytest.raises(CommandError):
        images.ensure({"buildctl": program}, _quiet)
    assert [path.name for path in store.images_dir().iterdir()] == [".lock"]
    small_debian.broken = None
    assert images.ensure({"buildctl": program}, _quiet).archive.is_file()


@pytest.mark.usefixtures("small_debian")
def test_what_a_killed_assembly_left_is_removed_and_never_taken_for_whole(program: Path) -> None:
    first = images.ensure({"buildctl": program}, _quiet)
    (first.archive.parent / "images.json").write_text('{"images": [')
    left = store.images_dir() / "making-killed"
    left.mkdir()
    (left / "images.tar").write_bytes(b"half")
    assert images.ensure({"buildctl": program}, _quiet) == first
    assert not left.exists()


@pytest.mark.usefixtures("small_debian")
def test_second_process_waits_for_the_first_and_says_so(program: Path) -> None:
    store.images_dir().mkdir(parents=True)
    held = filelock.FileLock(store.images_dir() / ".lock")
    said: list[str] = []
    waiting = Event()

    def told(line: str) -> None:
        said.append(line)
        waiting.set()

    with held:
        other = Thread(target=images.ensure, args=({"buildctl": program}, told))
        other.start()
        assert waiting.wait(10)
    other.join(10)
    assert said[0] == "images: another process is assembling them; waiting for it"


@pytest.mark.usefixtures("small_debian")
def test_missing_program_is_named_before_anything_is_fetched() -> None:
    with pytest.raises(ClustersError, match="the images need buildctl"):
        images.ensure({}, _quiet)


@pytest.mark.usefixtures("small_debian")
def test_role_without_a_recipe_is_named(cookbook_folder: Path) -> None:
    (cookbook_folder / "app" / "recipe.toml").unlink()
    with pytest.raises(UsageError, match=r"needs app/recipe\.toml"):
        images.needed_programs()


@pytest.mark.usefixtures("small_debian")
def test_too_little_room_is_said_before_anything_is_fetched(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_NEEDED", 10**18)
    with pytest.raises(UnavailableError, match="GB free and assembling the images needs"):
        images.ensure({"buildctl": program}, _quiet)


@pytest.mark.usefixtures("small_debian")
def test_prune_keeps_the_set_it_is_told_to(program: Path) -> None:
    first = images.ensure({"buildctl": program}, _quiet)
    program.write_bytes(program.read_bytes() + b"other")
    second = images.ensure({"buildctl": program}, _quiet)
    assert images.prune(keep=second.archive.parent.name) > 0
    assert (first.archive.exists(), second.archive.exists()) == (False, True)
    record = json.loads((second.archive.parent / "images.json").read_text())
    wanted = {layer["digest"] for image in record["images"] for layer in image["layers"]}
    left = [json.loads(path.read_text())["digest"] for path in (store.images_dir() / "layers").glob("*/layer.json")]
    assert sorted(left) == sorted(wanted)
