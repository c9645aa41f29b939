from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from clusters.embedded.images.layer import Architecture, Entry, Kind, write_layer
from clusters.embedded.images.oci import NamedLayer
from clusters.embedded.images.recipe import Config, Served
from clusters.embedded.images.registry import Platform, store

_TOP = "usr/share/registry"
_ROOT = f"{_TOP}/docker/registry/v2"


def _platform(architecture: Architecture, blobs: Path) -> Platform:
    entry = Entry(kind=Kind.FILE, content=str(architecture).encode())
    layer = NamedLayer(summary="a layer", blob=write_layer({"bin": entry}, blobs))
    return Platform(architecture=architecture, config=Config(command=["sh"]), origin="here", layers=[layer])


@pytest.fixture
def stored(tmp_path: Path) -> dict[str, Entry]:
    served = Served(recipe="r", path=f"/{_TOP}", name="library/base", platforms=[*Architecture])
    return store(served, [_platform(each, tmp_path) for each in Architecture])


def _content(stored: dict[str, Entry], path: str) -> bytes:
    content = stored[path].content
    assert isinstance(content, bytes)
    return content


def _blob(stored: dict[str, Entry], digest: str) -> bytes:
    """Fetch as a registry does: the link of the repository says that the blob belongs to it."""
    digits = digest.removeprefix("sha256:")
    kinds = ("_manifests/revisions", "_layers")
    links = [f"{_ROOT}/repositories/library/base/{kind}/sha256/{digits}/link" for kind in kinds]
    assert [_content(stored, link) for link in links if link in stored] == [digest.encode()]
    return _content(stored, f"{_ROOT}/blobs/sha256/{digits[:2]}/{digits}/data")


def _index(stored: dict[str, Entry]) -> Any:  # noqa: ANN401 - JSON
    tag = f"{_ROOT}/repositories/library/base/_manifests/tags/latest"
    digest = _content(stored, f"{tag}/current/link").decode()
    assert _content(stored, f"{tag}/index/sha256/{digest.removeprefix('sha256:')}/link").decode() == digest
    return json.loads(_blob(stored, digest))


def test_tag_leads_to_an_index_with_every_platform(stored: dict[str, Entry]) -> None:
    index = _index(stored)
    assert index["mediaType"] == "application/vnd.oci.image.index.v1+json"
    assert [each["platform"] for each in index["manifests"]] == [
        {"os": "linux", "architecture": str(each)} for each in Architecture
    ]


def test_manifest_leads_to_a_configuration_and_layers_that_unpack_to_their_diff_ids(stored: dict[str, Entry]) -> None:
    for described in _index(stored)["manifests"]:
        raw = _blob(stored, described["digest"])
        assert len(raw) == described["size"]
        manifest = json.loads(raw)
        config = json.loads(_blob(stored, manifest["config"]["digest"]))
        unpacked = [gzip.decompress(_blob(stored, layer["digest"])) for layer in manifest["layers"]]
        assert [f"sha256:{hashlib.sha256(each).hexdigest()}" for each in unpacked] == config["rootfs"]["diff_ids"]
        assert config["architecture"] == described["platform"]["architecture"]
        assert len(config["history"]) == len(unpacked)


def test_blobs_are_named_by_what_they_hold(stored: dict[str, Entry]) -> None:
    blobs = {path: _content(stored, path) for path in stored if path.endswith("/data")}
    assert blobs
    assert all(path.split("/")[-2] == hashlib.sha256(content).hexdigest() for path, content in blobs.items())


def test_every_file_has_its_folders(stored: dict[str, Entry]) -> None:
    files = [path for path, entry in stored.items() if entry.kind is Kind.FILE]
    parents = {str(parent) for path in files for parent in Path(path).parents if str(parent).startswith(_TOP)}
    assert parents == {path for path, entry in stored.items() if entry.kind is Kind.DIRECTORY}


def test_image_for_this_machine_alone_has_no_index(tmp_path: Path) -> None:
    served = Served(recipe="r", path=f"/{_TOP}", name="library/base")
    stored = store(served, [_platform(Architecture.AMD64, tmp_path)])
    assert _index(stored)["mediaType"] == "application/vnd.oci.image.manifest.v1+json"


def test_stored_image_has_the_same_digest_at_another_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served = Served(recipe="r", path=f"/{_TOP}", name="library/base")
    platform = _platform(Architecture.AMD64, tmp_path)
    first = store(served, [platform])
    monkeypatch.setattr("time.time", lambda: 1e9)
    assert store(served, [platform]) == first
