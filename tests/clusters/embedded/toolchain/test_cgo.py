from __future__ import annotations

import pytest

from clusters.embedded import toolchain
from clusters.errors import UnavailableError
from tests.clusters.embedded.toolchain.machine import Machine


@pytest.mark.parametrize(
    ("program", "named"),
    [("gcc", "no cc: install them (`apt-get install gcc libc6-dev`)"), ("pkg-config", "libseccomp-dev")],
)
def test_user_without_a_compiler_or_library_is_told_the_packages_before_anything_starts(
    machine: Machine, program: str, named: str
) -> None:
    machine.script(program, "exit 1")
    with pytest.raises(UnavailableError) as caught:
        toolchain.ensure(toolchain.pick(["rootlesskit", "runc"]), progress=machine.said.append)
    assert named in str(caught.value)
    assert "runc is built with C" in str(caught.value)
    assert machine.go_did() == []


def test_programs_without_c_need_no_compiler(machine: Machine) -> None:
    machine.script("gcc", "exit 1")
    toolchain.ensure(toolchain.pick(["rootlesskit"]), progress=machine.said.append)
    assert machine.built() == ["rootlesskit"]


def test_compiler_that_cc_names_is_the_one_that_is_asked(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    first = toolchain.ensure(toolchain.pick(["runc"]), progress=machine.said.append)["runc"]
    machine.script("other-cc", "echo 99")
    monkeypatch.setenv("CC", "other-cc -m64")
    assert toolchain.ensure(toolchain.pick(["runc"]), progress=machine.said.append)["runc"] != first
