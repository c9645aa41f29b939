from __future__ import annotations

import shutil
from collections import namedtuple
from types import SimpleNamespace

import psutil
import pytest

from clusters.embedded import host, requirements
from clusters.embedded.requirements import Requirement

Usage = namedtuple("Usage", "total used free")  # noqa: PYI024 - as shutil's own


def test_the_first_reason_is_the_one_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "CHECKS", (lambda: None, lambda: "first", lambda: "second"))
    assert host.why_unavailable() == "first"
    monkeypatch.setattr(host, "CHECKS", (lambda: None,))
    assert host.why_unavailable() is None


def test_what_only_root_can_look_at_is_looked_at_after_root() -> None:
    order = [check.__name__ for check in host.CHECKS]
    assert order.index("_system") < order.index("_root") < order.index("_nftables")


def test_other_systems_and_other_users_are_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    assert "this is Darwin" in (host._system() or "")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert "needs root" in (host._root() or "")


def test_too_little_disk_says_how_much_is_free_and_where(state_dir: object, monkeypatch: pytest.MonkeyPatch) -> None:
    del state_dir
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 10**12, int(1.2e9)))
    reason = host._disk() or ""
    assert "only 1.2 GB of disk" in reason
    assert "BUILD_CONFORMANCE_STATE_DIR" in reason
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12, 0, 10**12))
    assert host._disk() is None


def test_too_little_memory_says_how_much_is_available(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=int(0.5e9)))
    assert "only 0.5 GB of memory" in (host._memory() or "")
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=8 * 10**9))
    assert host._memory() is None


def test_missing_packages_are_an_obstacle_only_where_they_may_not_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    package = Requirement(name="thing", proof="no-such-program-anywhere", why="for the test")
    monkeypatch.setattr(requirements, "load", lambda *_: (package,))
    monkeypatch.setattr(requirements, "why_not_installable", lambda: None)
    assert host._packages() is None
    monkeypatch.setattr(requirements, "why_not_installable", lambda: "nobody may")
    assert "thing (for the test)" in (host._packages() or "")
    assert "nobody may" in (host._packages() or "")
