"""One embedded cluster for all tests that only need a cluster."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from clusters.embedded.toolchain import DEFAULT_LINE
from clusters.provider import Cluster
from conformance import throwaway


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    throwaway.prepare("embedded", throwaway.spec_of(DEFAULT_LINE), say)
    with throwaway.cluster("embedded", DEFAULT_LINE, say, purpose="tests") as made:
        yield made
