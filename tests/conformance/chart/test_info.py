from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.chart import load
from conformance.errors import UsageError

#: The fixture of conftest.py.
MakeHelm = Callable[..., Any]

CHART_YAML = "apiVersion: v2\nname: demo\nversion: 1.2.3\nappVersion: 7\n"


def _chart(folder: Path, text: str = CHART_YAML) -> Path:
    folder.mkdir()
    (folder / "Chart.yaml").write_text(text)
    (folder / "values.yaml").write_text("a: 1\n")
    return folder


def _archive(folder: Path, to: Path) -> Path:
    with tarfile.open(to, "w:gz") as archive:
        archive.add(folder, arcname="demo")
    return to


def test_folder_is_read_without_helm(tmp_path: Path) -> None:
    info = load(str(_chart(tmp_path / "demo")))
    assert (info.name, info.version, info.app_version) == ("demo", "1.2.3", "7")
    assert info.path == tmp_path / "demo"


def test_digest_changes_with_any_file_and_with_nothing_else(tmp_path: Path) -> None:
    one, same = load(str(_chart(tmp_path / "a"))), load(str(_chart(tmp_path / "b")))
    assert one.digest == same.digest
    (tmp_path / "a" / "values.yaml").write_text("a: 2\n")
    assert load(str(tmp_path / "a")).digest != one.digest
    (tmp_path / "b" / "values.yaml").rename(tmp_path / "b" / "other.yaml")
    assert load(str(tmp_path / "b")).digest != one.digest


def test_archive_is_read_without_helm(tmp_path: Path) -> None:
    info = load(str(_archive(_chart(tmp_path / "demo"), tmp_path / "demo-1.2.3.tgz")))
    assert (info.name, info.version) == ("demo", "1.2.3")
    assert info.digest.startswith("sha256:")


def test_registrys_chart_is_downloaded_once_by_content(make_helm: MakeHelm, tmp_path: Path) -> None:
    archive = _archive(_chart(tmp_path / "demo"), tmp_path / "d.tgz")
    where = "pathlib.Path(argv[argv.index('--destination') + 1], 'demo-1.2.3.tgz')"
    fake = make_helm(do=f"{where}.write_bytes(pathlib.Path({str(archive)!r}).read_bytes())")
    info = load("oci://registry.example/demo:1.2.3")
    assert fake.calls[0]["argv"][:2] == ["pull", "oci://registry.example/demo:1.2.3"]
    assert info.name == "demo"
    assert load("oci://registry.example/demo:1.2.3").path == info.path
    assert [path.name for path in info.path.parent.iterdir()] == [f"{info.digest.removeprefix('sha256:')}.tgz"]


def test_chart_that_cannot_be_downloaded_is_a_usage_error(make_helm: MakeHelm) -> None:
    make_helm(stderr="Error: registry.example/demo:9: not found\n", code=1)
    with pytest.raises(UsageError, match="demo:9: not found"):
        load("oci://registry.example/demo:9")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [", "no YAML"),
        ("- a list", "not valid"),
        ("", "not valid"),
        ("apiVersion: v3\nname: n\nversion: 1\n", "apiVersion"),
        ("apiVersion: v2\nversion: 1.0.0\n", "name: "),
        ("apiVersion: v2\nname: n\nversion: 1.0.0\ntype: library\n", "library"),
    ],
)
def test_unusable_chart_yaml_is_refused_with_what_is_wrong(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        load(str(_chart(tmp_path / "demo", text)))


def test_what_is_no_chart_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        load(str(tmp_path / "absent"))
    with pytest.raises(UsageError, match=r"no Chart\.yaml"):
        load(str(tmp_path))
    (tmp_path / "x.tgz").write_text("no archive")
    with pytest.raises(UsageError, match="no chart archive"):
        load(str(tmp_path / "x.tgz"))
    (tmp_path / "sub").mkdir()
    with pytest.raises(UsageError, match=r"no Chart\.yaml"):
        load(str(_archive(tmp_path / "sub", tmp_path / "y.tgz")))
