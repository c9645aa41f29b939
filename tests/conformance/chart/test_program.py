from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clusters.embedded import toolchain
from clusters.errors import UnavailableError
from conformance.chart import find_helm, helm_version
from conformance.errors import UsageError

#: The fixture of conftest.py.
MakeHelm = Callable[..., Any]


def _toolchain_without_helm(monkeypatch: pytest.MonkeyPatch) -> None:
    def locate(_programs: object) -> dict[str, Path]:
        raise UnavailableError("not built yet: `toolchain build helm`")

    monkeypatch.setattr(toolchain, "locate", locate, raising=False)


def test_helm_that_is_named_is_used(make_helm: MakeHelm) -> None:
    fake = make_helm()
    assert find_helm() == fake.path
    assert helm_version() == "3.22.0"


@pytest.mark.parametrize(("version", "says"), [("v3.13.2", "3.13.2"), ("v4.0.1", "4.0.1"), ("hello", "version")])
def test_helm_that_is_named_but_unfit_is_refused(make_helm: MakeHelm, version: str, says: str) -> None:
    make_helm(version=version)
    with pytest.raises(UsageError, match="CONFORMANCE_HELM") as caught:
        find_helm()
    assert says in str(caught.value)


def test_helm_that_is_named_but_absent_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CONFORMANCE_HELM", str(tmp_path / "none"))
    with pytest.raises(UsageError, match="none"):
        find_helm()


def test_helm_on_path_is_used_when_none_is_named(make_helm: MakeHelm, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = make_helm()
    monkeypatch.delenv("CONFORMANCE_HELM")
    monkeypatch.setenv("PATH", str(fake.path.parent), prepend=":")
    assert find_helm() == fake.path


def test_helm_of_the_toolchain_is_used_when_path_has_an_unfit_one(
    make_helm: MakeHelm, monkeypatch: pytest.MonkeyPatch
) -> None:
    unfit = make_helm(version="v4.0.1")
    monkeypatch.delenv("CONFORMANCE_HELM")
    monkeypatch.setenv("PATH", str(unfit.path.parent), prepend=":")
    monkeypatch.setattr(toolchain, "locate", lambda _programs: {"helm": Path("/built/helm")}, raising=False)
    assert find_helm() == Path("/built/helm")


def test_absence_of_any_helm_says_what_to_do(make_helm: MakeHelm, monkeypatch: pytest.MonkeyPatch) -> None:
    unfit = make_helm(version="v2.17.0")
    monkeypatch.delenv("CONFORMANCE_HELM")
    monkeypatch.setenv("PATH", str(unfit.path.parent), prepend=":")
    _toolchain_without_helm(monkeypatch)
    with pytest.raises(UsageError, match="toolchain build helm") as caught:
        find_helm()
    assert "2.17.0" in str(caught.value)
