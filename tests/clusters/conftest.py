"""State that tests may write: never the machine's own."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def state_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "state"
    monkeypatch.setenv("BUILD_CONFORMANCE_STATE_DIR", str(folder))
    return folder
