"""What probes are made of: images read back from a registry, pods with limits, lines that steps wrote."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import shlex
import tarfile
from typing import Any

import pytest

from conformance.kube import Json, Ran
from conformance.model import Client, Topology
from conformance.probes import cache, git_server, isolation, oci_tar, platforms, registry
from conformance.probes.buildkit import context, from_base, line, program
from conformance.probes.context import CannotLookError, LookBrokeError, ProbeRun
from conformance.probes.limited import limited
from conformance.stages import CellRun
from conformance.tools import driver_of
from conformance.waiting import Deadline
from tests.conformance.stages.conftest import cell_run, kube

__all__ = ["cell_run", "kube"]

HOST = "registry.conformance-fixtures.svc.cluster.local:5000"


@pytest.fixture
def run(cell_run: CellRun) -> ProbeRun:
    return ProbeRun(name="cache", cell_run=cell_run, deadline=Deadline(60), sources=[])


def archive(**members: tuple[str, int, int]) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as tar:
        for name, (text, uid, gid) in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.uid, info.gid = len(text), uid, gid
            tar.addfile(info, io.BytesIO(text.encode()))
    return sink.getvalue()


class Registry:
    """Answers what the script in the registry's pod asks, as the pod would."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}
        self.up = True

    def blob(self, name: str, data: bytes) -> str:
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        self.held[f"{name}/blobs/{digest}"] = data
        return digest

    def image(self, name: str, tag: str, *layers: bytes, architecture: str = "amd64") -> Json:
        config = {"architecture": architecture, "os": "linux"}
        manifest = {
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"digest": self.blob(name, json.dumps(config).encode())},
            "layers": [{"digest": self.blob(name, gzip.compress(layer, mtime=0))} for layer in layers],
        }
        self.held[f"{name}/manifests/{tag}"] = json.dumps(manifest).encode()
        return manifest

    def execute(self, _namespace: str, pod: str, _container: str, argv: list[str], *, within: float) -> Ran:
        assert pod == "registry"
        assert within > 0
        if not self.up:
            return Ran(code=1, output="wget: can't connect to remote host\n")
        path = next(word for word in shlex.split(argv[-1]) if "/v2/" in word).removeprefix(f"http://{HOST}/v2/")
        data = self.held.get(path)
        return Ran(code=0, output="-\n" if data is None else base64.encodebytes(data).decode())


@pytest.fixture
def held(run: ProbeRun) -> Registry:
    made = Registry()
    made.image("library/base", "latest", archive(base=("b", 0, 0)))
    run.cell_run.kube = made  # type: ignore[assignment]
    return made


def test_the_files_of_an_image_are_those_it_adds_to_the_base_with_their_owners(run: ProbeRun, held: Registry) -> None:
    base, first, second = (
        archive(base=("b", 0, 0)),
        archive(a=("old", 0, 0), b=("b\n", 1, 2)),
        archive(a=("new", 3, 4)),
    )
    held.image("ns-cache", "x", base, first, second)
    found = registry.files(run, f"{HOST}/ns-cache:x")
    assert {name: (file.owner, file.text) for name, file in found.items()} == {"a": ("3:4", "new"), "b": ("1:2", "b")}
    assert registry.content(run, f"{HOST}/ns-cache:x", "a") == "new"


def test_an_image_that_is_not_there_has_no_files(run: ProbeRun, held: Registry) -> None:
    assert held.up
    assert registry.files(run, f"{HOST}/ns-cache:gone") == {}
    assert registry.content(run, f"{HOST}/ns-cache:gone", "a") == ""
    assert registry.manifest(run, f"{HOST}/ns-cache:gone") is None


def test_a_registry_that_does_not_answer_is_not_taken_for_an_empty_one(run: ProbeRun, held: Registry) -> None:
    held.up = False
    with pytest.raises(LookBrokeError, match="the registry did not answer"):
        registry.manifest(run, f"{HOST}/ns-cache:x")


def test_a_layer_that_is_another_one_than_its_digest_says_is_refused(run: ProbeRun, held: Registry) -> None:
    made = held.image("ns-cache", "x", archive(a=("a", 0, 0)))
    held.held[f"ns-cache/blobs/{made['layers'][0]['digest']}"] = gzip.compress(archive(a=("b", 0, 0)))
    with pytest.raises(LookBrokeError, match="does not hold the blob"):
        registry.files(run, f"{HOST}/ns-cache:x")


def test_each_platform_of_an_index_is_read_and_attestations_are_none(run: ProbeRun, held: Registry) -> None:
    entries: list[dict[str, Any]] = []
    for architecture in ("amd64", "arm64"):
        held.image("ns-cache", f"sha256:{architecture}", archive(a=(architecture, 0, 0)), architecture=architecture)
        entries.append({"digest": f"sha256:{architecture}", "platform": {"os": "linux", "architecture": architecture}})
    entries.append({"digest": "sha256:a", "platform": {"os": "unknown", "architecture": "unknown"}})
    index = {"mediaType": "application/vnd.oci.image.index.v1+json", "manifests": entries}
    held.held["ns-cache/manifests/x"] = json.dumps(index).encode()
    found = registry.images(run, f"{HOST}/ns-cache:x")
    assert sorted(found) == ["linux/amd64", "linux/arm64"]
    assert registry.files(run, f"{HOST}/ns-cache:x", found["linux/arm64"])["a"].text == "arm64"


def test_other_cells_repositories_are_not_listed(run: ProbeRun, held: Registry) -> None:
    names = ["library/base", "ns-oci-tar", "other-oci-tar"]
    held.held["_catalog?n=1000"] = json.dumps({"repositories": names}).encode()
    assert registry.repositories(run) == {"ns-oci-tar"}


def test_a_copy_of_a_pod_has_the_limits_and_is_nobody_s() -> None:
    admitted = {
        "metadata": {"name": "p", "labels": {"app.kubernetes.io/instance": "conformance"}},
        "spec": {
            "nodeName": "n",
            "hostUsers": False,
            "containers": [
                {"name": "app", "livenessProbe": {}},
                {"name": "buildkitd", "securityContext": {"runAsUser": 1000}, "livenessProbe": {}},
            ],
        },
    }
    body = limited(admitted, "q", "buildkitd", {"memory": "256Mi"})
    assert body["metadata"] == {"name": "q", "labels": {"app.kubernetes.io/name": "q"}}
    app, builder = body["spec"]["containers"]
    assert builder["resources"] == {"limits": {"memory": "256Mi"}, "requests": {"memory": "0"}}
    assert builder["securityContext"] == {"runAsUser": 1000}
    assert "resources" not in app
    assert "nodeName" not in body["spec"]
    assert body["spec"]["hostUsers"] is False
    # The one it was made from is left as it was.
    assert "livenessProbe" in admitted["spec"]["containers"][1]  # type: ignore[index]


@pytest.mark.parametrize("client", Client)
def test_buildkit_s_own_client_runs_probes_whatever_client_builds(run: ProbeRun, client: Client) -> None:
    run.cell_run.driver = driver_of(run.cell_run.cell.builder.model_copy(update={"client": client}))
    assert program(run, daemon=True) == ("buildctl",)


def test_a_daemonless_builder_has_no_daemon_to_probe(run: ProbeRun) -> None:
    builder = run.cell_run.cell.builder.model_copy(update={"topology": Topology.ONE_SHOT})
    run.cell_run.driver = driver_of(builder)
    run.cell_run.cell = run.cell_run.cell.model_copy(update={"builder": builder})
    assert program(run) == ("buildctl-daemonless.sh",)
    with pytest.raises(CannotLookError, match="no BuildKit daemon that outlives a build behind buildkit as one-shot"):
        cache.look(run)


def test_a_build_is_one_quoted_line_and_its_image_the_probe_s_own(run: ProbeRun) -> None:
    said = line(run, "--opt=build-arg:A=b c", push=run.image("x"))
    assert said.startswith("buildctl build --progress=plain --frontend=dockerfile.v0 --local=context=. ")
    assert "'--opt=build-arg:A=b c'" in said
    assert f"name={HOST}/ns-cache:x,push=true" in said
    assert from_base(run, "RUN true") == f"FROM {HOST}/library/base:latest\nRUN true\n"
    assert context("FROM x\n", {"a": "it's"})[1:] == (
        "printf '%s' 'FROM x\n' > Dockerfile",
        "printf '%s' 'it'\"'\"'s' > a",
    )


def test_what_a_step_wrote_of_a_process_is_read_back() -> None:
    seen = isolation._process("buildkit-runc yes no no yes no")
    assert (seen.of_other_build, seen.signalled, seen.read, seen.opened, seen.canary) == (
        True,
        False,
        False,
        True,
        False,
    )
    assert not seen.of_daemon
    assert isolation._process("rootlesskit no yes no no no").of_daemon


def oci(*, spoil: bool = False) -> bytes:
    layer = archive(**{"hello.txt": ("hello", 0, 0)})
    blobs = {hashlib.sha256(each).hexdigest(): each for each in (layer, b"{}")}
    names = list(blobs)
    manifest = json.dumps(
        {"config": {"digest": f"sha256:{names[1]}"}, "layers": [{"digest": f"sha256:{names[0]}"}]}
    ).encode()
    blobs[hashlib.sha256(manifest).hexdigest()] = manifest
    index = {"manifests": [{"digest": f"sha256:{hashlib.sha256(manifest).hexdigest()}"}]}
    if spoil:
        blobs[names[0]] = layer + b"\0"
    members = {f"blobs/sha256/{name}": data for name, data in blobs.items()} | {
        "index.json": json.dumps(index).encode()
    }
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return sink.getvalue()


def test_an_oci_archive_is_whole_only_when_every_blob_is_what_its_digest_says() -> None:
    assert oci_tar._read(oci()) == ("", "hello")
    fault, text = oci_tar._read(oci(spoil=True))
    assert "is another one" in fault
    assert text == ""
    assert oci_tar._read(oci()[:1024])[0]
    assert oci_tar._read(b"")[0]


def test_a_worker_s_platforms_are_read_from_its_json() -> None:
    said = '[{"platforms":[{"architecture":"amd64","os":"linux"},{"architecture":"arm64","os":"linux"}]}]'
    assert platforms._lists(said, "linux/arm64")
    assert not platforms._lists(said, "linux/s390x")


def test_the_probe_s_git_server_knows_the_token_by_its_digest_alone() -> None:
    body = json.dumps(git_server._manifest("image", "a-token"))
    assert "a-token" not in body
    assert "x-access-token:{SHA}" in body
