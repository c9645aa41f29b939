from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from clusters.embedded.images.deb import read_deb
from clusters.embedded.images.layer import Kind
from clusters.errors import ClustersError


def test_package_is_read_below_usr_and_without_setuid(deb: Callable[..., Path]) -> None:
    entries = dict(read_deb(deb(bin__newuidmap=b"program")))
    assert entries["usr/bin/newuidmap"].content == b"program"
    assert entries["usr/bin/newuidmap"].mode == 0o755


def test_package_does_not_bring_the_directories_that_are_links(deb: Callable[..., Path]) -> None:
    assert "bin" not in dict(read_deb(deb(bin__sh=b"")))


def test_package_keeps_links_of_both_kinds(deb: Callable[..., Path]) -> None:
    soft, hard = tarfile.TarInfo("./lib/libz.so"), tarfile.TarInfo("./usr/bin/zcat")
    soft.type, soft.linkname = tarfile.SYMTYPE, "libz.so.1"
    hard.type, hard.linkname = tarfile.LNKTYPE, "./bin/gzip"
    entries = dict(read_deb(deb(lib__libz=soft, bin__gzip=b"gzip", usr__bin__zcat=hard)))
    assert (entries["usr/lib/libz.so"].kind, entries["usr/lib/libz.so"].target) == (Kind.SYMLINK, "libz.so.1")
    assert (entries["usr/bin/zcat"].kind, entries["usr/bin/zcat"].target) == (Kind.HARDLINK, "usr/bin/gzip")


@pytest.mark.parametrize("keep", [0, 4, 100, 230])
def test_damaged_package_is_named(deb: Callable[..., Path], keep: int) -> None:
    path = deb(bin__sh=b"x" * 5000)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ClustersError, match=r"some\.deb"):
        list(read_deb(path))
