"""Images in the form that every Docker engine loads."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

from clusters.docker import archive
from clusters.embedded.images.layer import Entry, Kind, write_layer
from clusters.embedded.images.oci import MadeImage, NamedLayer, make_image
from clusters.embedded.images.recipe import Config


def image(name: str, blobs: Path, *texts: str) -> MadeImage:
    layers = [
        NamedLayer(summary=text, blob=write_layer({text: Entry(kind=Kind.FILE, content=text.encode())}, blobs))
        for text in texts
    ]
    return make_image(name, Config(), layers, "a test", blobs)


def test_every_image_is_listed_and_a_layer_that_two_share_is_there_once(tmp_path: Path) -> None:
    made = [image("one", tmp_path, "shared", "first"), image("two", tmp_path, "shared", "second")]
    archive.write(made, tmp_path / "images.tar")
    with tarfile.open(tmp_path / "images.tar") as tar:
        names = tar.getnames()
        content = tar.extractfile("manifest.json")
        assert content is not None
        listed = json.load(content)
    assert len(names) == len(set(names))
    assert [each["RepoTags"] for each in listed] == [[one.reference] for one in made]
    assert listed[0]["Layers"][0] == listed[1]["Layers"][0]
    assert {path for each in listed for path in (each["Config"], *each["Layers"])} == set(names) - {"manifest.json"}
