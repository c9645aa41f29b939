from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from clusters.embedded.toolchain import key
from clusters.embedded.toolchain.go import Go
from clusters.embedded.toolchain.programs import GoProgram, pick
from clusters.embedded.toolchain.tools import tools_for
from tests.clusters.embedded.toolchain.machine import Machine

_GO = Go(binary=Path("/opt/go"), facts={"GOVERSION": "go1.26.8", "GOARCH": "amd64"})


def _runc() -> GoProgram:
    (program,) = pick(["runc"])
    assert isinstance(program, GoProgram)
    return program


@pytest.mark.usefixtures("machine")
def test_same_program_has_the_same_key() -> None:
    assert key.of_go(_runc(), _GO) == key.of_go(_runc(), _GO)
    elsewhere = dataclasses.replace(_GO, binary=Path("/usr/bin/go"))
    assert key.of_go(_runc(), elsewhere) == key.of_go(_runc(), _GO)


@pytest.mark.parametrize(
    "change",
    [
        {"version": "v1.5.3"},
        {"package": "github.com/opencontainers/runc/other"},
        {"tags": ("seccomp",)},
        {"ldflags": ()},
        {"cgo": False},
        {"libraries": ()},
        {"tool": "rootlesskit"},
    ],
    ids=lambda change: next(iter(change)),
)
@pytest.mark.usefixtures("machine")
def test_key_changes_with_what_affects_the_program(change: dict[str, object]) -> None:
    changed = dataclasses.replace(_runc(), **change)  # type: ignore[arg-type] # each key is a field
    assert key.of_go(changed, _GO).folder != key.of_go(_runc(), _GO).folder


@pytest.mark.parametrize("fact", [{"GOVERSION": "go1.26.9"}, {"GOARCH": "arm64"}])
@pytest.mark.usefixtures("machine")
def test_key_changes_with_go(fact: dict[str, str]) -> None:
    other = dataclasses.replace(_GO, facts={**_GO.facts, **fact})
    assert key.of_go(_runc(), other).folder != key.of_go(_runc(), _GO).folder


@pytest.mark.parametrize("program", ["gcc", "pkg-config"])
def test_key_changes_with_compiler_and_library(machine: Machine, program: str) -> None:
    before = key.of_go(_runc(), _GO)
    machine.script(program, "echo 99")
    assert key.of_go(_runc(), _GO).folder != before.folder


@pytest.mark.parametrize("name", ["go.mod", "go.sum", "main.go"])
@pytest.mark.usefixtures("machine")
def test_key_changes_with_every_file_of_the_tools_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (coredns,) = pick(["coredns"])
    assert isinstance(coredns, GoProgram)
    folder = tmp_path / "modules" / "coredns"
    folder.mkdir(parents=True)
    for file in ("go.mod", "go.sum", "main.go"):
        (folder / file).write_text("as it was", encoding="utf-8")
    monkeypatch.setattr(key, "MODULES", folder.parent)
    before = key.of_go(coredns, _GO)
    (folder / name).write_text("changed", encoding="utf-8")
    assert key.of_go(coredns, _GO).folder != before.folder


@pytest.mark.usefixtures("machine")
def test_key_does_not_change_with_what_people_read() -> None:
    other = dataclasses.replace(_runc(), disk_gib=99.0, optional=True)
    assert key.of_go(other, _GO) == key.of_go(_runc(), _GO)


@pytest.mark.usefixtures("machine")
def test_folder_names_program_version_and_key() -> None:
    assert key.of_go(_runc(), _GO).folder.startswith("runc-v1.5.2-")
    assert len(key.of_go(_runc(), _GO).folder) == len("runc-v1.5.2-") + 12


@pytest.mark.usefixtures("machine")
def test_lines_of_kubernetes_have_different_keys() -> None:
    folders = set()
    for line in ("1.34", "1.35"):
        (kubelet,) = pick(["kubelet"], kubernetes=line)
        assert isinstance(kubelet, GoProgram)
        folders.add(key.of_go(kubelet, _GO).folder.split("-")[1])
    assert folders == {tools_for("1.34")[0].version, tools_for("1.35")[0].version}
