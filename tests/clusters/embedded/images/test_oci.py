from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from clusters.embedded.images.layer import Entry, Kind, write_layer
from clusters.embedded.images.oci import MadeImage, NamedLayer, architecture, make_image, write_archive
from clusters.embedded.images.recipe import Config


@pytest.fixture
def layers(tmp_path: Path) -> list[NamedLayer]:
    (tmp_path / "blobs").mkdir()
    made = (write_layer({name: Entry(kind=Kind.FILE, content=b"x")}, tmp_path / "blobs") for name in ("one", "two"))
    return [NamedLayer(summary=f"layer {number}", blob=blob) for number, blob in enumerate(made)]


@pytest.fixture
def pair(layers: list[NamedLayer], tmp_path: Path) -> list[MadeImage]:
    config = Config(user="1000:1000", entrypoint=["run"], environment={"HOME": "/h", "A": "1"}, volumes=["/v"])
    blobs = tmp_path / "blobs"
    return [
        make_image("app", config, layers, "here", blobs),
        make_image("pause", Config(), layers[:1], "here", blobs),
    ]


@pytest.fixture
def members(pair: list[MadeImage], tmp_path: Path) -> dict[str, bytes]:
    write_archive(pair, tmp_path / "images.tar")
    with tarfile.open(tmp_path / "images.tar") as tar:
        names = tar.getnames()
        assert len(names) == len(set(names)), "a blob is in the archive once"
        return {name: tar.extractfile(name).read() for name in names}  # type: ignore[union-attr]


def _blob(members: dict[str, bytes], descriptor: dict[str, Any]) -> bytes:
    content = members[f"blobs/sha256/{descriptor['digest'].removeprefix('sha256:')}"]
    assert len(content) == descriptor["size"]
    return content


def test_every_blob_of_the_layout_has_the_digest_in_its_name(members: dict[str, bytes]) -> None:
    blobs = {name: content for name, content in members.items() if name.startswith("blobs/")}
    assert len(blobs) == 6
    assert all(name == f"blobs/sha256/{hashlib.sha256(content).hexdigest()}" for name, content in blobs.items())


def test_layout_leads_from_the_index_to_every_layer(members: dict[str, bytes], layers: list[NamedLayer]) -> None:
    assert json.loads(members["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    stacks = []
    for descriptor in json.loads(members["index.json"])["manifests"]:
        manifest = json.loads(_blob(members, descriptor))
        config = json.loads(_blob(members, manifest["config"]))
        assert all(_blob(members, layer) for layer in manifest["layers"])
        assert config["rootfs"]["diff_ids"] == [layer["digest"] for layer in manifest["layers"]]
        assert len(config["history"]) == len(manifest["layers"]), "podman refuses other numbers"
        assert (config["os"], config["architecture"]) == ("linux", architecture())
        stacks.append([layer["digest"] for layer in manifest["layers"]])
    assert stacks == [[layer.blob.digest for layer in layers], [layers[0].blob.digest]]


def test_index_names_each_image_as_pods_do(members: dict[str, bytes], pair: list[MadeImage]) -> None:
    manifests = json.loads(members["index.json"])["manifests"]
    named = {m["annotations"]["io.containerd.image.name"]: m["digest"] for m in manifests}
    assert named == {image.reference: image.manifest.digest for image in pair}
    assert pair[0].reference == f"localhost/conformance/app:{pair[0].manifest.digest[7:19]}"


def test_config_says_how_a_container_starts(pair: list[MadeImage]) -> None:
    config = json.loads(pair[0].config.path.read_text())["config"]
    assert config["User"] == "1000:1000"
    assert config["Entrypoint"] == ["run"]
    assert config["Env"] == ["A=1", "HOME=/h"]
    assert config["Volumes"] == {"/v": {}}


def test_archive_is_the_same_bytes_again(pair: list[MadeImage], tmp_path: Path) -> None:
    write_archive(pair, tmp_path / "one.tar")
    write_archive(pair, tmp_path / "two.tar")
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()
