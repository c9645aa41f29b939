from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from clusters.embedded.images.layer import Entry, FileCapability, Kind, usr_merged, write_layer


@pytest.fixture
def entries() -> dict[str, Entry]:
    return {
        "usr/bin/newuidmap": Entry(kind=Kind.FILE, content=b"x", capabilities=frozenset({FileCapability.SETUID})),
        "tmp": Entry(kind=Kind.DIRECTORY, mode=0o1777),
        "home/user": Entry(kind=Kind.DIRECTORY, mode=0o700, uid=1000, gid=1001),
        "bin": Entry(kind=Kind.SYMLINK, target="usr/bin"),
        "a": Entry(kind=Kind.HARDLINK, target="z"),
        "z": Entry(kind=Kind.FILE, content=b"z", mode=0o644),
    }


def test_layer_has_the_same_digest_whatever_the_order_and_the_time(entries: dict[str, Entry], tmp_path: Path) -> None:
    source = tmp_path / "z"
    source.write_bytes(b"z")
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one = write_layer(entries, tmp_path / "one")
    again = dict(reversed(entries.items())) | {"z": Entry(kind=Kind.FILE, content=source, mode=0o644)}
    two = write_layer(again, tmp_path / "two")
    assert one.digest == two.digest
    assert one.path.read_bytes() == two.path.read_bytes()


def test_layer_is_named_by_its_digest_and_leaves_nothing_else(entries: dict[str, Entry], tmp_path: Path) -> None:
    blob = write_layer(entries, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [blob.digest.removeprefix("sha256:")]
    assert blob.size == blob.path.stat().st_size


def test_layer_keeps_modes_owners_and_links(entries: dict[str, Entry], tmp_path: Path) -> None:
    with tarfile.open(write_layer(entries, tmp_path).path) as tar:
        members = {member.name: member for member in tar}
    assert list(members)[-1] == "a", "a hard link comes after what it names"
    assert members["tmp"].mode == 0o1777
    assert (members["home/user"].uid, members["home/user"].gid) == (1000, 1001)
    assert (members["bin"].issym(), members["bin"].linkname) == (True, "usr/bin")
    assert (members["a"].islnk(), members["a"].linkname) == (True, "z")
    assert {member.mtime for member in members.values()} == {0}


@pytest.mark.parametrize(("capability", "bits"), [(FileCapability.SETUID, 0x80), (FileCapability.SETGID, 0x40)])
def test_file_capability_lies_in_the_tar_as_the_kernel_reads_it(
    capability: FileCapability, bits: int, tmp_path: Path
) -> None:
    entry = Entry(kind=Kind.FILE, content=b"x", capabilities=frozenset({capability}))
    raw = write_layer({"map": entry}, tmp_path).path.read_bytes()
    # linux/capability.h: revision 2 and the effective bit, permitted low, inheritable low, then both high words.
    value = bytes([1, 0, 0, 2, bits, 0, 0, 0, *[0] * 12])
    record = b"SCHILY.xattr.security.capability=" + value + b"\n"
    assert f"{len(record) + 3} ".encode() + record in raw


@pytest.mark.parametrize(
    ("path", "merged"),
    [
        ("./bin/busybox", "usr/bin/busybox"),
        ("/lib64/ld.so", "usr/lib64/ld.so"),
        ("./usr/bin/git", "usr/bin/git"),
        ("/bin", "bin"),
        ("./library/x", "library/x"),
        ("./etc/", "etc"),
    ],
)
def test_paths_of_packages_are_moved_below_usr(path: str, merged: str) -> None:
    assert usr_merged(path) == merged
