from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from clusters.embedded.images.content import gather
from clusters.embedded.images.layer import Entry, FileCapability, Kind
from clusters.embedded.images.recipe import Layer
from clusters.errors import ClustersError, UsageError


def _gather(tmp_path: Path, deb: Path | None = None, drop: tuple[str, ...] = (), **layer: object) -> dict[str, Entry]:
    made = Layer.model_validate({"summary": "s"} | layer)
    return gather(
        made, folder=tmp_path, debs=[deb] if deb else [], drop=drop, programs={"buildctl": tmp_path / "b"}, served={}
    )


def test_layer_leaves_out_what_is_dropped_and_directories_that_become_empty(
    tmp_path: Path, deb: Callable[..., Path]
) -> None:
    package = deb(usr__bin__git=b"git", usr__share__doc__git__copyright=b"words", usr__lib__perl__x=b"x")
    layer = Layer(summary="s", drop=["/usr/lib/perl/*"])
    entries = gather(layer, folder=tmp_path, debs=[package], drop=["/usr/share/doc/*"], programs={}, served={})
    assert sorted(entries) == ["usr", "usr/bin", "usr/bin/git"]


def test_hard_link_to_a_dropped_file_becomes_the_file(tmp_path: Path, deb: Callable[..., Path]) -> None:
    link = tarfile.TarInfo("./usr/bin/git")
    link.type, link.linkname = tarfile.LNKTYPE, "./usr/lib/git"
    entries = _gather(tmp_path, deb(usr__lib__git=b"git", usr__bin__git=link), drop=("/usr/lib/*",))
    assert (entries["usr/bin/git"].kind, entries["usr/bin/git"].content) == (Kind.FILE, b"git")


def test_grant_gives_a_file_of_a_package_its_capability(tmp_path: Path, deb: Callable[..., Path]) -> None:
    grants = [{"path": "/usr/bin/newuidmap", "capabilities": ["cap_setuid"]}]
    entries = _gather(tmp_path, deb(usr__bin__newuidmap=b"x"), grants=grants)
    assert entries["usr/bin/newuidmap"].capabilities == {FileCapability.SETUID}
    assert entries["usr/bin/newuidmap"].mode == 0o755


def test_grant_for_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="grants: /usr/bin/gone is no file of this layer"):
        _gather(tmp_path, grants=[{"path": "/usr/bin/gone", "capabilities": ["cap_setuid"]}])


def test_program_that_was_not_built_is_named(tmp_path: Path) -> None:
    with pytest.raises(ClustersError, match="needs the program 'buildkitd'"):
        _gather(tmp_path, programs={"buildkitd": "/usr/bin/buildkitd"})


def test_folder_is_taken_with_all_files_below_it(tmp_path: Path) -> None:
    (tmp_path / "seed" / "app").mkdir(parents=True)
    (tmp_path / "seed" / "app" / "Dockerfile").write_text("FROM scratch\n")
    entries = _gather(tmp_path, files=[{"path": "/srv/seed", "source": "seed", "owner": [1, 2]}])
    assert entries["srv/seed/app"].kind is Kind.DIRECTORY
    found = entries["srv/seed/app/Dockerfile"]
    assert (found.content, found.uid, found.gid, found.mode) == (tmp_path / "seed" / "app" / "Dockerfile", 1, 2, 0o644)


def test_joined_file_is_its_pieces_in_order_though_they_are_dropped(tmp_path: Path, deb: Callable[..., Path]) -> None:
    joined = [{"path": "/etc/all.crt", "pieces": "/usr/share/ca/*.crt"}]
    package = deb(usr__share__ca__two=b"no", **{"usr/share/ca/b.crt": b"B\n", "usr/share/ca/a.crt": b"A\n"})
    entries = _gather(tmp_path, package, drop=("/usr/share/ca/*",), joined=joined)
    assert entries["etc/all.crt"].content == b"A\nB\n"
    assert "usr/share/ca/a.crt" not in entries


def test_joined_file_without_pieces_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"matches /usr/share/ca/\*"):
        _gather(tmp_path, joined=[{"path": "/etc/all.crt", "pieces": "/usr/share/ca/*"}])


def test_links_lie_below_usr_but_say_what_was_written(tmp_path: Path) -> None:
    links = [{"target": "usr/bin", "paths": ["/bin"]}, {"target": "busybox", "paths": ["/bin/sh"]}]
    entries = _gather(tmp_path, links=links)
    assert {path: entry.target for path, entry in entries.items()} == {"bin": "usr/bin", "usr/bin/sh": "busybox"}
