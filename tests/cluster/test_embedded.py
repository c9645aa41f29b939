"""Real clusters: root, Linux, the toolchain and the images are needed. About ten seconds each."""

from __future__ import annotations

import json
import os
import signal
import stat
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clusters import janitor, ledger, paths, process, waiting
from clusters.embedded import api, layout, node, removal, status
from clusters.embedded.layout import Layout, layout_of
from clusters.embedded.provider import EmbeddedProvider
from clusters.embedded.status import State
from clusters.errors import ClusterFailedError, UsageError
from clusters.janitor import Fate
from clusters.provider import Capability, Cluster, ClusterSpec, ImageRole
from tests.cluster.leftovers import look, pid_outside

pytestmark = pytest.mark.cluster

SCRIPT = "cat /proc/self/uid_map; nslookup kubernetes.default.svc.cluster.local"

#: Seconds for something that takes one or two.
SOON = 60.0


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedProvider]:
    patch = pytest.MonkeyPatch()
    patch.setenv("BUILD_CONFORMANCE_STATE_DIR", str(tmp_path_factory.mktemp("state")))
    found = EmbeddedProvider()
    yield found
    for left in layout.existing():
        found.delete(left.name)
    patch.undo()


def spec(name: str) -> ClusterSpec:
    return ClusterSpec(name=name, run_id="test", kubernetes="1.35")


def create(provider: EmbeddedProvider, name: str) -> tuple[Cluster, list[str]]:
    said: list[str] = []
    return provider.create(spec(name), said.append), said


def pod(cluster: Cluster, **fields: object) -> dict[str, object]:
    container = {"name": "c", "image": cluster.images[ImageRole.APP].reference, "imagePullPolicy": "Never"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {
            "restartPolicy": "Never",
            "containers": [
                {
                    **container,
                    "command": ["sh", "-c", "cat /proc/self/uid_map; nslookup kubernetes.default.svc.cluster.local"],
                }
            ],
            **fields,
        },
    }


def wait_for_pod(cluster: Cluster) -> dict[str, object]:
    server = node.api(layout_of(cluster.name), cluster.facts["node_ip"])

    def ended() -> dict[str, object] | None:
        found = api.get(server, "/api/v1/namespaces/default/pods/p")
        state = found["status"] if found is not None else {}
        return state if state.get("phase") in {"Succeeded", "Failed"} else None

    return waiting.until(ended, limit=SOON, what="the pod")


def read_log(cluster: Cluster) -> str:
    command = ["sh", "-c", 'exec cat "$0"/default_p_*/c/0.log', str(layout_of(cluster.name).var_log / "pods")]
    return process.run(command).stdout


def kill(found: Layout) -> None:
    for victim in removal.processes(found):
        victim.send_signal(signal.SIGKILL)


def test_two_clusters_run_pods_side_by_side_and_leave_nothing(provider: EmbeddedProvider) -> None:
    names = ("t-one", "t-two")
    before = {name: look(name) for name in names}
    with ThreadPoolExecutor(2) as pool:
        made = dict(zip(names, pool.map(lambda name: create(provider, name), names), strict=True))
    assert len({cluster.facts["node_ip"] for cluster, _ in made.values()}) == 2
    for name, (cluster, said) in made.items():
        assert any(line.startswith("node-ready (") for line in said)
        assert stat.S_IMODE(cluster.kubeconfig.stat().st_mode) == 0o600
        assert stat.S_IMODE(layout_of(name).root.stat().st_mode) == 0o700
        assert provider.state(name) == "ready"
        assert provider.why_broken(name) is None
        server = node.api(layout_of(name), cluster.facts["node_ip"])
        hosted = {} if name == "t-one" else {"hostUsers": False}
        api.create(server, "/api/v1/namespaces/default/pods", pod(cluster, **hosted))
        assert Capability.CONFIGZ in cluster.capabilities
        assert "kubeletconfig" in (api.get(server, f"/api/v1/nodes/{name}/proxy/configz") or {})
        accounts = api.get(server, "/api/v1/namespaces/default/serviceaccounts/default")
        assert accounts is not None
    for name, (cluster, _) in made.items():
        assert wait_for_pod(cluster)["phase"] == "Succeeded", read_log(cluster)
        log = read_log(cluster)
        assert "10.96.0.1" in log
        # Only the pod that asked for it has a user namespace of its own.
        assert ("4294967295" in log) is (name == "t-one")
    assert {lease.name for lease in provider.list_leases()} == set(names)
    for name in names:
        provider.delete(name)
        assert look(name) == before[name]
        assert not layout_of(name).root.exists()
    assert provider.list_leases() == ()
    assert paths.state_dir().is_dir()


def test_a_component_that_dies_is_told_with_its_log_and_a_killed_cluster_can_be_deleted(
    provider: EmbeddedProvider, tmp_path: Path
) -> None:
    before = look("t-dies")
    create(provider, "t-dies")
    found = layout_of("t-dies")
    with pytest.raises(UsageError, match="python -m clusters delete t-dies"):
        create(provider, "t-dies")
    os.kill(pid_outside(found, "kube-scheduler"), signal.SIGKILL)
    broken = waiting.until(lambda: provider.why_broken("t-dies"), limit=SOON, what="the death to be noticed")
    assert broken.startswith("kube-scheduler: was killed by SIGKILL")
    assert "Serving securely" in broken
    provider.collect_logs("t-dies", tmp_path)
    assert "kube-scheduler" in (tmp_path / "state.txt").read_text()
    assert (tmp_path / "logs" / "kubelet.log").stat().st_size > 0
    texts = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"PRIVATE KEY" not in texts
    assert b"client-key-data" not in texts
    # Now everything at once, as the kernel's out-of-memory killer or a reboot would.
    kill(found)
    waiting.until(lambda: provider.state("t-dies") == "stopped", limit=SOON, what="the processes to end")
    provider.delete("t-dies")
    provider.delete("t-dies")
    assert look("t-dies") == before


def test_a_step_that_fails_is_named_with_the_end_of_its_log(
    provider: EmbeddedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = look("t-fails")
    written = node.write_surroundings

    def break_the_scheduler(found: Layout, programs: dict[str, Path]) -> None:
        written(found, programs)
        link = found.programs / "kube-scheduler"
        link.unlink()
        link.write_text("#!/bin/sh\necho no such flag >&2\nexit 3\n")
        link.chmod(0o755)

    monkeypatch.setattr(node, "write_surroundings", break_the_scheduler)
    with pytest.raises(ClusterFailedError) as caught:
        create(provider, "t-fails")
    assert caught.value.step == "kube-scheduler"
    assert "ended with exit code 3" in caught.value.reason
    assert "no such flag" in caught.value.reason
    provider.delete("t-fails")
    assert look("t-fails") == before


def command_line(log: Path, *words: str) -> process.Child:
    environment = {**os.environ, "PYTHONPATH": f"{os.environ.get('PYTHONPATH', '')}:{paths.CHECKOUT}"}
    return process.spawn([sys.executable, "-m", "clusters", *words], log=log / "command.log", env=environment)


def has_started(found: Layout, name: str) -> bool:
    now = status.read(found.status)
    return now is not None and any(step.name == name and step.state is not State.WAITING for step in now.steps)


@pytest.mark.parametrize("step", ["etcd", "kubelet"])
def test_what_a_killed_creator_left_is_removed_by_the_janitor(
    provider: EmbeddedProvider, tmp_path: Path, step: str
) -> None:
    name = f"t-killed-{step}"
    before = look(name)
    creator = command_line(tmp_path, "create", name)
    waiting.until(lambda: has_started(layout_of(name), step), limit=SOON, what=f"{step} to start")
    held = janitor.sweep({"embedded": provider})
    assert [finding.fate for finding in held if finding.what == f"cluster {name}"] == [Fate.LEFT_ALONE]
    creator.kill()
    creator.wait(SOON)
    assert look(name) != before
    fates = [finding.fate for finding in janitor.sweep({"embedded": provider}) if finding.what == f"cluster {name}"]
    assert fates == [Fate.REMOVED]
    assert look(name) == before
    assert ledger.find("embedded", name) is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.usefixtures("provider")
def test_an_interrupted_creation_takes_back_what_it_made(tmp_path: Path, number: signal.Signals) -> None:
    name = f"t-{number.name.lower()}"
    before = look(name)
    creator = command_line(tmp_path, "create", name)
    waiting.until(lambda: has_started(layout_of(name), "kube-apiserver"), limit=SOON, what="the API server to start")
    creator.send_signal(number)
    assert creator.wait(SOON) == 130
    assert look(name) == before
    assert ledger.find("embedded", name) is None


def test_a_cluster_of_the_command_line_outlives_it_until_it_is_deleted(
    provider: EmbeddedProvider, tmp_path: Path
) -> None:
    before = look("t-kept")
    assert command_line(tmp_path, "create", "t-kept").wait(SOON) == 0, (tmp_path / "command.log").read_text()
    sweep = [finding.fate for finding in janitor.sweep({"embedded": provider}) if finding.what == "cluster t-kept"]
    assert sweep == [Fate.LEFT_ALONE]
    inside = process.run([*provider.node_command("t-kept"), "cat", "/proc/sys/kernel/hostname"])
    assert inside.stdout.strip() == "t-kept"
    assert json.loads(layout_of("t-kept").record.read_text())["facts"]["node"] == "t-kept"
    assert command_line(tmp_path, "delete", "t-kept").wait(SOON) == 0, (tmp_path / "command.log").read_text()
    assert look("t-kept") == before
