"""A cluster that stands already: what is asked of it, what is noted, and that nothing but the run's own is removed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from clusters import janitor, ledger
from clusters.errors import ClustersError, UnavailableError, UsageError
from clusters.existing import limits, namespaces, rights
from clusters.existing.provider import ExistingProvider
from clusters.janitor import Fate
from clusters.provider import BASIC_IMAGES, Cluster, ClusterSpec, NodeConditions
from tests.clusters.existing.cluster import TOKEN, FakeCluster, served

NAME = "run-7-existing-1-35"


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    return tmp_path / "kubeconfig"


@pytest.fixture
def there(kubeconfig: Path, state_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCluster]:
    assert not state_dir.exists()
    images = tmp_path / "images.toml"
    images.write_text("".join(f'[{role}]\nreference = "localhost:1/{role}:1"\norigin = "o"\n' for role in BASIC_IMAGES))
    monkeypatch.setenv("BUILD_CONFORMANCE_IMAGES_FILE", str(images))
    monkeypatch.setattr(namespaces, "LIMITS", dataclasses.replace(limits.LIMITS, removal=0.5, look=0.02))
    with served(FakeCluster(), kubeconfig) as cluster:
        yield cluster


def spec(kubeconfig: Path, line: str = "1.35") -> ClusterSpec:
    return ClusterSpec(name=NAME, run_id="run-7", kubernetes=line, kubeconfig=kubeconfig, context="there")


def create(kubeconfig: Path) -> Cluster:
    return ExistingProvider().create(spec(kubeconfig), lambda _: None)


def test_a_cluster_is_used_as_it_is_and_nothing_in_it_changes(there: FakeCluster, kubeconfig: Path) -> None:
    cluster = create(kubeconfig)
    assert (cluster.kubeconfig, cluster.context) == (kubeconfig, "there")
    assert cluster.facts["kube-apiserver"] == there.version
    assert cluster.capabilities == frozenset()
    assert there.changes == []


def test_where_a_run_is_gets_noted_and_credentials_do_not(
    there: FakeCluster, kubeconfig: Path, state_dir: Path
) -> None:
    create(kubeconfig)
    assert there.calls
    assert [lease.name for lease in ledger.leases("existing")] == [NAME]
    kept = "".join(path.read_text() for path in state_dir.rglob("*") if path.is_file())
    assert str(kubeconfig) in kept
    assert TOKEN not in kept


def test_the_line_is_the_servers_and_another_one_is_refused(there: FakeCluster, kubeconfig: Path) -> None:
    assert ExistingProvider().kubernetes_line(kubeconfig, "there") == "1.35"
    with pytest.raises(UsageError, match=r"runs Kubernetes 1\.35, not 1\.34"):
        ExistingProvider().create(spec(kubeconfig, "1.34"), lambda _: None)
    assert there.changes == []
    assert ledger.leases() == ()


def test_every_missing_right_is_named_with_the_manifest_that_gives_it(there: FakeCluster, kubeconfig: Path) -> None:
    there.refused = {("create", "pods/exec"), ("list", "replicasets")}
    with pytest.raises(UnavailableError) as caught:
        create(kubeconfig)
    assert "may not: create pods/exec, list replicasets.apps." in str(caught.value)
    assert str(rights.MANIFEST) in str(caught.value)
    assert ledger.leases() == ()


def test_no_right_reaches_kubelets_or_reads_secrets() -> None:
    needed = rights.needed()
    assert len(needed) > 30
    assert not [right for right in needed if right.resource.startswith("nodes/") or right.resource == "nodes/proxy"]
    assert {right.verb for right in needed if right.resource == "nodes"} == {"list"}
    assert {right.verb for right in needed if right.resource == "secrets"} == {"create"}
    assert not [right for right in needed if "*" in (right.verb, right.group, right.resource)]


def test_a_cluster_on_which_another_run_is_gets_refused(there: FakeCluster, kubeconfig: Path) -> None:
    there.add("cell-1", "run-6")
    with pytest.raises(UnavailableError, match=r"another run are on this cluster \(run-6\)"):
        create(kubeconfig)


def test_credentials_that_are_too_old_are_told_as_such(there: FakeCluster, kubeconfig: Path) -> None:
    there.knows_us = False
    with pytest.raises(UnavailableError, match="sign in again"):
        create(kubeconfig)


def test_a_kind_of_node_cannot_be_asked_for(there: FakeCluster, kubeconfig: Path) -> None:
    strict = dataclasses.replace(spec(kubeconfig), conditions=NodeConditions(seccomp_default=True))
    with pytest.raises(UsageError, match="leave --node out"):
        ExistingProvider().create(strict, lambda _: None)
    assert there.calls == []


@pytest.mark.parametrize("ignores_selectors", [False, True])
def test_only_what_carries_the_runs_label_is_deleted_and_nothing_of_the_system(
    there: FakeCluster, kubeconfig: Path, *, ignores_selectors: bool
) -> None:
    create(kubeconfig)
    there.ignores_selectors = ignores_selectors
    for name in ("cell-1", "cell-2", "kube-system", "default", "gatekeeper-system"):
        there.add(name, "run-7")
    there.add("shop")
    there.add("cell-9", "run-77")
    ExistingProvider().delete(NAME)
    assert set(there.namespaces) == {"kube-system", "default", "gatekeeper-system", "shop", "cell-9"}
    assert ledger.leases() == ()
    before = len(there.calls)
    ExistingProvider().delete(NAME)
    assert len(there.calls) == before


def test_a_namespace_that_stays_is_named_with_its_reason_and_the_lease_too(
    there: FakeCluster, kubeconfig: Path
) -> None:
    create(kubeconfig)
    there.add("cell-1", "run-7")
    there.stuck = {"cell-1"}
    there.namespaces["cell-1"]["status"] = {"conditions": [{"status": "True", "message": "a finalizer remains"}]}
    with pytest.raises(ClustersError, match=r"namespace cell-1 \(a finalizer remains\)"):
        ExistingProvider().delete(NAME)
    assert [lease.name for lease in ledger.leases("existing")] == [NAME]


def test_a_janitor_removes_what_a_killed_run_left(there: FakeCluster, kubeconfig: Path) -> None:
    create(kubeconfig)
    there.add("cell-1", "run-7")
    held = ledger.leases("existing")[0]
    assert [found.fate for found in janitor.sweep({"existing": ExistingProvider()})] == [Fate.LEFT_ALONE]
    ledger.take(dataclasses.replace(held, pid=2**22 + 1))
    assert [found.fate for found in janitor.sweep({"existing": ExistingProvider()})] == [Fate.REMOVED]
    assert there.namespaces == {}
    assert ExistingProvider().find_leftovers() == ()


def test_a_kubeconfig_that_is_gone_keeps_the_lease(there: FakeCluster, kubeconfig: Path) -> None:
    create(kubeconfig)
    there.add("cell-1", "run-7")
    kubeconfig.unlink()
    with pytest.raises(ClustersError, match="namespaces with the label of run run-7 may be left"):
        ExistingProvider().delete(NAME)
    assert ledger.leases("existing")


def test_logs_of_a_cluster_that_was_refused_say_so(state_dir: Path, tmp_path: Path) -> None:
    ExistingProvider().collect_logs(NAME, tmp_path / "logs")
    assert "nothing was made there" in (tmp_path / "logs" / "not-asked.txt").read_text()
    assert not state_dir.exists()
