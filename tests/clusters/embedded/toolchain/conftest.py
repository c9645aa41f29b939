from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.clusters.embedded.toolchain.machine import FACTS, FAKE_GO, Machine


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Move the cache away from the user's and put stand-ins for go, a compiler and pkg-config on PATH."""
    there = Machine(bin=tmp_path / "bin", cache=tmp_path / "cache" / "toolchain")
    there.bin.mkdir()
    monkeypatch.setenv("BUILD_CONFORMANCE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{there.bin}:{os.defpath}")
    monkeypatch.delenv("CC", raising=False)
    there.script("go", FAKE_GO)
    there.tell_go("go-facts.json", FACTS)
    there.script("gcc", "echo 12.2.0")
    there.script("pkg-config", "echo 2.5.4")
    return there
