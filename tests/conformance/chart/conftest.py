"""A stand-in for the helm program: the seam is the process."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True, kw_only=True, slots=True)
class FakeHelm:
    """A program that answers `helm version` and one other call, and writes down how it was called."""

    path: Path
    record: Path

    @property
    def calls(self) -> list[dict[str, Any]]:
        """Return each call but `version`: argv, stdin, env."""
        if not self.record.exists():
            return []
        return [json.loads(line) for line in self.record.read_text().splitlines()]


@pytest.fixture
def make_helm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakeHelm]:
    """Make a fake helm and let it be the one that is found."""

    def make(*, version: str = "v3.22.0", stdout: str = "", stderr: str = "", code: int = 0, do: str = "") -> FakeHelm:
        folder = tmp_path / f"helm-{version}"
        folder.mkdir()
        fake = FakeHelm(path=folder / "helm", record=folder / "calls")
        fake.path.write_text(
            f"#!{sys.executable} -IS\n"
            "import json, os, pathlib, sys, time\n"
            "argv = sys.argv[1:]\n"
            f"if argv[0] == 'version': print({version!r}); sys.exit()\n"
            "text = sys.stdin.read() if '-' in argv else ''\n"
            "call = {'argv': argv, 'stdin': text, 'env': dict(os.environ)}\n"
            f"open({str(fake.record)!r}, 'a').write(json.dumps(call) + '\\n')\n"
            f"{do}\n"
            f"sys.stdout.write({stdout!r}); sys.stderr.write({stderr!r}); sys.exit({code})\n"
        )
        fake.path.chmod(0o755)
        monkeypatch.setenv("CONFORMANCE_HELM", str(fake.path))
        monkeypatch.setenv("BUILD_CONFORMANCE_CACHE_DIR", str(tmp_path / "cache"))
        return fake

    return make
