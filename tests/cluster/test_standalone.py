"""BuildKit in pods of its own on one real cluster: it builds, it refuses, and what it lets in is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.artifacts import RunFolder
from conformance.model import Outcome, Result
from conformance.waiting import Timeouts
from tests.cluster.runs import cleared, start

pytestmark = pytest.mark.cluster

BUILDERS = (
    "standalone-privileged",
    "standalone-rootless",
    "standalone-tls-client-of-another-ca",
    "standalone-tls-both-plaintext",
    "standalone-policy-forbidden",
)


@pytest.fixture(scope="module", autouse=True)
def _state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep clusters and their ledger apart from other people's: what is left here is deleted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BUILD_CONFORMANCE_STATE_DIR", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunFolder]:
    words = ("--matrix=standalone", "--psa=baseline", *(f"--builder={name}" for name in BUILDERS), "-n2")
    with cleared(start(tmp_path_factory.mktemp("standalone"), *words)) as running:
        assert running.end() == 0, running.said
        yield running.folder


@pytest.fixture(scope="module")
def results(run: RunFolder) -> dict[str, Result]:
    return {result.builder: result for result in run.read_results()}


@pytest.mark.parametrize(
    ("builder", "class_"),
    [
        ("standalone-privileged", "psa-baseline-violation"),
        ("standalone-rootless", None),
        ("standalone-tls-client-of-another-ca", "mtls-bad-certificate"),
        ("standalone-tls-both-plaintext", "buildkitd-no-authentication"),
        ("standalone-policy-forbidden", "buildkitd-policy-denied"),
    ],
)
def test_each_cell_ends_with_its_class(results: dict[str, Result], builder: str, class_: str | None) -> None:
    found = results[builder]
    assert (found.outcome, found.class_, found.tries) == (Outcome.AS_CLAIMED, class_, ())


@pytest.mark.parametrize("builder", ["standalone-tls-client-of-another-ca", "standalone-policy-forbidden"])
def test_a_certain_refusal_is_not_waited_for(results: dict[str, Result], builder: str) -> None:
    (ready,) = (stage for stage in results[builder].stages if stage.stage == "ready")
    assert ready.status == "failed"
    assert ready.seconds < Timeouts().ready


def test_a_refused_stateful_set_is_seen_by_its_event(results: dict[str, Result]) -> None:
    admission = results["standalone-privileged"].stages[0]
    assert admission.detail.startswith("FailedCreate: Create Pod buildkitd-0 in StatefulSet buildkitd failed")


def test_an_open_daemon_builds_to_the_end(results: dict[str, Result]) -> None:
    assert {stage.status for stage in results["standalone-tls-both-plaintext"].stages} == {"passed"}


def test_no_key_is_written_anywhere(run: RunFolder) -> None:
    files: list[Path] = [path for path in run.path.rglob("*") if path.is_file()]
    assert len(files) > len(BUILDERS)
    assert [path for path in files if b"PRIVATE KEY" in path.read_bytes()] == []
