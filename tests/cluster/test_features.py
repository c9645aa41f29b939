"""One real cluster with volumes and enforced NetworkPolicies: root, Linux, the toolchain and the images are needed."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from clusters import waiting
from clusters.embedded import api, layout, node, volumes
from clusters.embedded.layout import Layout, layout_of
from clusters.embedded.orders import Api
from clusters.embedded.provider import EmbeddedProvider
from clusters.errors import TooSlowError
from clusters.provider import Capability, Cluster, ClusterSpec, ImageRole

pytestmark = pytest.mark.cluster

BOTH = frozenset({Capability.VOLUMES, Capability.NETWORK_POLICY})
DEFAULT = "/api/v1/namespaces/default"

#: Seconds for something that takes a few.
SOON = 60.0

SERVICE_IP = "10.96.0.77"

#: Says once and again what it reaches: a pod, its Service, the API server, and the names of the cluster.
ASK = f"""\
reaches() {{ busybox nc -w 1 $1 $2 </dev/null >/dev/null && printf 'yes ' || printf 'no '; }}
while true; do
  reaches $POD 8080
  reaches {SERVICE_IP} 8080
  reaches 10.96.0.1 443
  busybox nslookup kubernetes.default.svc.cluster.local >/dev/null && echo yes || echo no
  sleep 0.2
done 2>/dev/null
"""
REACHES = "yes yes yes yes"
IS_CUT = "no no yes yes"

#: Answers in a row that count: what was asked before a policy was in force is not its doing.
STEADY = 3

Object = dict[str, Any]


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedProvider]:
    patch = pytest.MonkeyPatch()
    patch.setenv("BUILD_CONFORMANCE_STATE_DIR", str(tmp_path_factory.mktemp("state")))
    found = EmbeddedProvider()
    yield found
    for left in layout.existing():
        found.delete(left.name)
    patch.undo()


@pytest.fixture(scope="module")
def cluster(provider: EmbeddedProvider) -> Cluster:
    spec = ClusterSpec(name="t-features", run_id="test", kubernetes="1.35", features=BOTH)
    provider.prepare(spec, say)
    return provider.create(spec, say)


@pytest.fixture(scope="module")
def server(cluster: Cluster) -> Api:
    return node.api(layout_of(cluster.name), cluster.facts["node_ip"])


@pytest.fixture(scope="module")
def files(cluster: Cluster) -> Layout:
    return layout_of(cluster.name)


def pod(cluster: Cluster, name: str, script: str, env: Mapping[str, str] | None = None, claim: str = "") -> Object:
    container = {
        "name": "c",
        "image": cluster.images[ImageRole.APP].reference,
        "imagePullPolicy": "Never",
        "command": ["sh", "-c", script],
        "env": [{"name": key, "value": value} for key, value in (env or {}).items()],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    volume = {"persistentVolumeClaim": {"claimName": claim}} if claim else {"emptyDir": {}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "containers": [container],
            "volumes": [{"name": "data", **volume}],
        },
    }


def wait_for_pod(server: Api, namespace: str, name: str, *phases: str) -> Object:
    def look() -> Object | None:
        found = api.get(server, f"/api/v1/namespaces/{namespace}/pods/{name}") or {}
        reached = found.get("status", {}).get("phase") in phases
        return found["status"] if reached else None

    return waiting.until(look, limit=SOON, what=f"pod {namespace}/{name} to be {' or '.join(phases)}")


def read_log(files: Layout, namespace: str, name: str) -> list[str]:
    logs = (files.var_log / "pods").glob(f"{namespace}_{name}_*/c/0.log")
    # A line of the container runtime's logs is time, stream, flag and what was said.
    return [line.split(" ", 3)[3].strip() for log in logs for line in log.read_text().splitlines()]


def test_a_cluster_that_was_asked_for_both_has_both(cluster: Cluster) -> None:
    assert cluster.capabilities >= BOTH
    assert cluster.facts["local-path-provisioner"]
    assert cluster.facts["kube-router"]


def test_what_one_pod_wrote_the_next_one_reads_and_it_goes_with_its_claim(
    cluster: Cluster, server: Api, files: Layout
) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "cache"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    api.create(server, f"{DEFAULT}/persistentvolumeclaims", claim)
    api.create(server, f"{DEFAULT}/pods", pod(cluster, "writer", "id -u; echo kept > /data/word", claim="cache"))
    assert wait_for_pod(server, "default", "writer", "Succeeded", "Failed")["phase"] == "Succeeded"
    # It ran as nobody in particular.
    assert read_log(files, "default", "writer") == ["1000"]
    [folder] = (files.var_lib / Path(volumes.FOLDER).name).iterdir()
    assert (folder / "word").read_text() == "kept\n"
    delete(server, f"{DEFAULT}/pods/writer")
    api.create(server, f"{DEFAULT}/pods", pod(cluster, "reader", "cat /data/word", claim="cache"))
    assert wait_for_pod(server, "default", "reader", "Succeeded", "Failed")["phase"] == "Succeeded"
    assert read_log(files, "default", "reader") == ["kept"]
    delete(server, f"{DEFAULT}/pods/reader")
    delete(server, f"{DEFAULT}/persistentvolumeclaims/cache")
    waiting.until(lambda: not folder.exists(), limit=SOON, what="the folder of the volume to go")
    helpers = f"/api/v1/namespaces/{volumes.NAMESPACE}/pods"
    waiting.until(lambda: not (api.get(server, helpers) or {})["items"], limit=SOON, what="the helper pods to go")


def test_a_policy_decides_who_reaches_a_pod_and_nothing_else(cluster: Cluster, server: Api, files: Layout) -> None:
    for name in ("home", "friend", "stranger"):
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        api.create(server, "/api/v1/namespaces", namespace)
    for name in ("home", "friend", "stranger"):
        account = f"/api/v1/namespaces/{name}/serviceaccounts/default"
        waiting.until(partial(api.get, server, account), limit=SOON, what=account)
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "served"},
        "spec": {"clusterIP": SERVICE_IP, "selector": {"app": "served"}, "ports": [{"port": 8080}]},
    }
    api.create(server, "/api/v1/namespaces/home/services", service)
    served = pod(cluster, "served", "echo hello > /data/index.html; exec busybox httpd -f -p 8080 -h /data")
    api.create(server, "/api/v1/namespaces/home/pods", served)
    address = wait_for_pod(server, "home", "served", "Running")["podIP"]
    for name in ("friend", "stranger"):
        api.create(server, f"/api/v1/namespaces/{name}/pods", pod(cluster, "asks", ASK, {"POD": address}))

    def expect(**answers: str) -> None:
        seen = {name: len(read_log(files, name, "asks")) for name in answers}

        def is_so() -> bool:
            new = {name: read_log(files, name, "asks")[seen[name] :][-STEADY:] for name in answers}
            return all(said == [answers[name]] * STEADY for name, said in new.items())

        try:
            waiting.until(is_so, limit=SOON, what=str(answers))
        except TooSlowError:
            pytest.fail(f"not {answers} but { ({name: read_log(files, name, 'asks')[-9:] for name in answers}) }")

    expect(friend=REACHES, stranger=REACHES)
    api.create(server, POLICIES, policy("only-friends", {"kubernetes.io/metadata.name": "friend"}))
    expect(friend=REACHES, stranger=IS_CUT)
    delete(server, f"{POLICIES}/only-friends")
    expect(friend=REACHES, stranger=REACHES)
    api.create(server, POLICIES, policy("nobody", None))
    expect(friend=IS_CUT, stranger=IS_CUT)


POLICIES = "/apis/networking.k8s.io/v1/namespaces/home/networkpolicies"


def policy(name: str, namespaces: Mapping[str, str] | None) -> Object:
    """Return a policy for the pods of a namespace: who may come, nobody for None."""
    allowed = [{"from": [{"namespaceSelector": {"matchLabels": namespaces}}]}] if namespaces is not None else []
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": allowed},
    }


def delete(server: Api, path: str) -> None:
    status, answer = api._request(server, "DELETE", path, None, SOON)
    assert status in {HTTPStatus.OK, HTTPStatus.ACCEPTED}, answer
    waiting.until(lambda: api.get(server, path) is None, limit=SOON, what=f"{path} to go")
