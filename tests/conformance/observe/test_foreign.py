from __future__ import annotations

import os
import platform
from pathlib import Path

import pytest

from clusters import process
from conformance.observe import foreign

NATIVE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine())

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs a shell")


def test_the_native_program_is_among_those_that_ran(tmp_path: Path) -> None:
    if NATIVE is None or platform.system() != "Linux":
        pytest.skip(f"no program for {platform.machine()}")
    ran = process.run(["sh", "-c", foreign.script(str(tmp_path))], check=False).stdout
    assert NATIVE in ran.split()
    assert foreign.emulated(ran, NATIVE) is not None


@pytest.mark.parametrize(("architecture", "machine"), [("amd64", 62), ("arm64", 183)])
def test_a_program_is_a_whole_elf_file_of_its_machine(architecture: str, machine: int) -> None:
    program = foreign.program(architecture)
    assert program[:5] == b"\x7fELF\x02"
    assert int.from_bytes(program[18:20], "little") == machine
    # Entry point and segment lie inside the file.
    assert int.from_bytes(program[24:32], "little") - 0x400000 < len(program)
    assert int.from_bytes(program[64 + 32 : 64 + 40], "little") == len(program)


def test_the_shell_writes_the_program_byte_by_byte(tmp_path: Path) -> None:
    process.run(["sh", "-c", foreign.script(str(tmp_path))], check=False)
    for architecture in ("amd64", "arm64"):
        assert (tmp_path / f"program-{architecture}").read_bytes() == foreign.program(architecture)


def test_what_ran_beside_the_native_program_is_emulated() -> None:
    assert foreign.emulated("amd64\narm64", "amd64") == ("arm64",)
    assert foreign.emulated("amd64", "amd64") == ()


def test_a_canary_that_could_not_even_run_its_own_kind_says_nothing() -> None:
    assert foreign.emulated("", "amd64") is None
    assert foreign.emulated("arm64", "amd64") is None
