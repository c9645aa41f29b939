from __future__ import annotations

import struct
from pathlib import Path

import pytest

from clusters.embedded.images.programs import check_static, describe_program
from clusters.errors import ClustersError


def test_program_says_which_module_it_was_built_from(program: Path) -> None:
    assert describe_program(program) == "github.com/moby/buildkit v0.31.2"


def test_program_without_build_information_goes_by_its_file_name(tmp_path: Path) -> None:
    path = tmp_path / "busybox"
    path.write_bytes(b"no Go here")
    assert describe_program(path) == "busybox"


def test_static_program_is_accepted(program: Path) -> None:
    check_static(program)


def test_dynamic_program_is_refused(program: Path) -> None:
    raw = bytearray(program.read_bytes())
    struct.pack_into("<HH", raw, 54, 56, 1)
    raw[64:120] = struct.pack("<I", 3) + bytes(52)
    program.write_bytes(raw)
    with pytest.raises(ClustersError, match="linked dynamically"):
        check_static(program)


def test_what_is_no_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "page"
    path.write_text("<html>not found</html>")
    with pytest.raises(ClustersError, match="no 64-bit ELF program"):
        check_static(path)
