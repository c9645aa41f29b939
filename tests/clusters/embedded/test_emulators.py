from __future__ import annotations

import platform
import re
from pathlib import Path

import pytest

from clusters.embedded import emulators, leftovers, removal
from clusters.embedded.layout import EMULATOR_PREFIX, Layout
from clusters.embedded.orders import Emulator
from clusters.embedded.toolchain import pick


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    return Layout(name="one", root=tmp_path)


class BinfmtMisc:
    """Stands for the kernel's file system: what is registered, and what was asked of it."""

    def __init__(self, *names: str) -> None:
        self.names = list(names)

    def ask(self, command: str, *arguments: str) -> str:
        if command == "ls":
            return "\n".join(("register", "status", *self.names)) + "\n"
        self.names.remove(arguments[0])
        return ""


@pytest.fixture
def kernel(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> BinfmtMisc:
    found = BinfmtMisc("qemu-aarch64", f"{EMULATOR_PREFIX}{layout.digest}-qemu-aarch64", f"{EMULATOR_PREFIX}00000000-x")
    monkeypatch.setattr(emulators, "_is_known", lambda: True)
    monkeypatch.setattr(emulators, "_ask", found.ask)
    return found


def test_a_rule_says_what_an_arm64_program_begins_with_and_who_runs_it(layout: Layout) -> None:
    (emulator,) = emulators.wanted(layout)
    empty, name, kind, offset, magic, mask, interpreter, flags = emulator.rule.split(":")
    assert (empty, name, kind, offset) == ("", emulator.name, "M", "")
    assert interpreter == str(layout.programs / "qemu-aarch64")
    assert set(flags) == set("FPOC")
    assert len(emulator.rule) < 1920, "fs/binfmt_misc.c: MAX_REGISTER_LENGTH"
    said, bits = (bytes.fromhex(text.replace("\\x", "")) for text in (magic, mask))
    for elf, fits in ((_elf(183, kind=2), True), (_elf(183, kind=3), True), (_elf(62, kind=2), False)):
        masked = bytes(one & other for one, other in zip(elf, bits, strict=True))
        assert (masked == bytes(one & other for one, other in zip(said, bits, strict=True))) is fits


def test_each_machine_emulates_what_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    for machine, program in (("x86_64", "qemu-aarch64"), ("aarch64", "qemu-x86_64")):
        monkeypatch.setattr(platform, "machine", lambda machine=machine: machine)
        assert emulators.programs() == (program,)
        assert [found.optional for found in pick(emulators.programs())] == [True]
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert emulators.programs() == ()
    assert re.search("riscv64", emulators.why_unavailable() or "")


def test_registering_replaces_what_a_killed_cluster_left_under_the_name(tmp_path: Path) -> None:
    (tmp_path / "register").touch()
    left = tmp_path / "ours"
    left.write_text("enabled")
    emulators.register((Emulator(name="ours", rule=":ours:"),), tmp_path)
    assert left.read_text() == "-1"
    assert (tmp_path / "register").read_text() == ":ours:"


def test_removing_a_cluster_takes_back_its_own_registration_alone(layout: Layout, kernel: BinfmtMisc) -> None:
    removal.remove(layout)
    assert kernel.names == ["qemu-aarch64", f"{EMULATOR_PREFIX}00000000-x"]
    removal.remove(layout)


def test_a_registration_that_no_cluster_explains_is_a_leftover(layout: Layout, kernel: BinfmtMisc) -> None:
    assert len(kernel.names) == 3
    found = [left.what for left in leftovers.find({layout}) if "emulator" in left.what]
    assert [what.split()[1] for what in found] == [f"{EMULATOR_PREFIX}00000000-x"]


def test_a_kernel_without_the_file_system_is_not_made_to_load_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulators, "_is_known", lambda: False)
    monkeypatch.setattr(emulators, "_ask", lambda *_: pytest.fail("it was mounted"))
    assert emulators.registered() == ()


def _elf(machine: int, *, kind: int) -> bytes:
    return b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + kind.to_bytes(2, "little") + machine.to_bytes(2, "little")
