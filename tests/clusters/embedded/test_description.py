from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from clusters.embedded import description, removal, status
from clusters.embedded.layout import Layout
from clusters.embedded.status import Failure, Phase, Status
from clusters.provider import ClusterSpec


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.setattr(removal, "processes", lambda _: (psutil.Process(),))
    found = Layout(name="one", root=tmp_path)
    found.logs.mkdir()
    return found


def test_a_folder_without_status_is_half_made(cluster: Layout) -> None:
    assert description.state(cluster) == "half-made"


def test_a_ready_cluster_is_not_broken(cluster: Layout) -> None:
    status.write(cluster.status, Status(phase=Phase.READY))
    assert description.state(cluster) == "ready"
    assert description.why_broken(cluster) is None


def test_a_failure_is_told_with_the_end_of_that_steps_log(cluster: Layout) -> None:
    (cluster.logs / "etcd.log").write_text("".join(f"line {number}\n" for number in range(100)))
    failure = Failure(step="etcd", reason="ended with exit code 1")
    status.write(cluster.status, Status(phase=Phase.FAILED, failure=failure))
    assert description.state(cluster) == "failed: etcd"
    broken = description.why_broken(cluster) or ""
    assert broken.startswith("etcd: ended with exit code 1")
    assert broken.endswith("line 99")
    assert "line 10\n" not in broken


def test_a_cluster_whose_processes_are_gone_has_stopped(cluster: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "processes", lambda _: ())
    status.write(cluster.status, Status(phase=Phase.READY))
    assert description.state(cluster) == "stopped"
    assert "processes are gone" in (description.why_broken(cluster) or "")


def test_a_full_disk_is_what_breaks_a_cluster(cluster: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    status.write(cluster.status, Status(phase=Phase.READY))
    monkeypatch.setattr(description, "DISK_FULL", 2**80)
    broken = description.why_broken(cluster) or ""
    assert broken == f"the disk is full: no space left on device at {cluster.root}"


def test_a_claim_can_be_read_back(cluster: Layout) -> None:
    assert description.read(cluster) is None
    description.write_claim(cluster, ClusterSpec(name="one", run_id="r", kubernetes="1.35"))
    record = description.read(cluster)
    assert record is not None
    assert (record.name, record.run_id, record.kubernetes) == ("one", "r", "1.35")
