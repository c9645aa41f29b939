from __future__ import annotations

import pytest

from clusters import providers
from conformance.health import why_broken


class Watching:
    def __init__(self, said: str | None) -> None:
        self.said = said

    def why_broken(self, name: str) -> str | None:
        assert name == "c"
        return self.said


def test_a_cluster_that_broke_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "etcd: was killed by SIGKILL; the end of its log:\nI1121 one\nI1121 two"
    monkeypatch.setattr(providers, "PROVIDERS", {"p": Watching(said)})
    assert why_broken("p", "c") == "etcd: was killed by SIGKILL"


def test_a_provider_that_sees_nothing_wrong_or_does_not_look_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "PROVIDERS", {"p": Watching(None), "q": object()})
    assert why_broken("p", "c") is None
    assert why_broken("q", "c") is None
