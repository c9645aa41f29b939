"""State that tests may write: never the machine's own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture
def state_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "state"
    monkeypatch.setenv("BUILD_CONFORMANCE_STATE_DIR", str(folder))
    return folder


@pytest.fixture(autouse=True)
def no_aws_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the AWS configuration of whoever runs the tests out of them: a janitor would look into their account."""
    for variable in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-aws-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-aws-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
