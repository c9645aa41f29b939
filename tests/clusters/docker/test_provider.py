"""kind and k3d on an engine that is not there: what they tell it, in which order, and what they leave."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from clusters import ledger
from clusters.docker import builder_images, node_images, nodes, own, provider, records
from clusters.docker.builder_images import BuilderImages
from clusters.docker.places import MARK_VARIABLE, place_of
from clusters.docker.provider import ContainerProvider
from clusters.errors import ClustersError, UnavailableError, UsageError
from clusters.k3d import K3dProvider
from clusters.kind import KindProvider
from clusters.provider import Capability, ClusterSpec, NodeConditions, Provenance
from tests.clusters.docker.conftest import FakeEngine

PROVIDERS = {"kind": KindProvider(), "k3d": K3dProvider()}

NODE_IMAGES = {"kind": "kindest/node:v1.35.8", "k3d": "rancher/k3s:v1.35.8-k3s1"}


@pytest.fixture(params=sorted(PROVIDERS))
def subject(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, engine: FakeEngine) -> ContainerProvider:
    found = PROVIDERS[request.param]
    reference = NODE_IMAGES[request.param]
    monkeypatch.setenv(node_images.variable(found.name), reference)
    monkeypatch.setattr(provider, "prepare_images", lambda *_, **__: BuilderImages(archive=Path("/images.tar")))
    engine.pullable.add(reference)
    engine.answers[("version",)] = f"{found.name} v5.9.0"
    make_cluster_when_asked(found, engine)
    return found


def make_cluster_when_asked(found: ContainerProvider, engine: FakeEngine) -> None:
    """Let the tool leave on the engine what the real one does, and the API server inside say what it must."""
    place = place_of(found.name, "c")
    node = f"{place.short}-control-plane" if found.name == "kind" else f"k3d-{place.short}-server-0"
    labels = {found.label: place.short}
    labels |= {"io.x-k8s.kind.role": "control-plane"} if found.name == "kind" else {"k3d.role": "server"}

    def create(words: tuple[str, ...]) -> None:
        if words[1:3] in {("create", "cluster"), ("cluster", "create")}:
            engine.networks |= {name: {} for name in found.networks(place)}
            engine.containers[node] = labels
            engine.volumes[f"{node}-volume"] = {found.label: place.short}

    engine.on_run = create
    inside = ("exec", node, *found.kubectl)
    engine.answers[(*inside, "get", "service", "kubernetes")] = '{"spec": {"clusterIP": "10.96.0.1"}}'
    engine.answers[(*inside, "get", "service", "kube-dns")] = '{"spec": {"clusterIP": "10.96.0.10"}}'
    engine.answers[(*inside, "get", "--raw")] = '{"kubeletconfig": {}}'
    engine.answers[(*inside, "version")] = '{"serverVersion": {"gitVersion": "v1.35.8"}}'
    engine.answers[("exec", node, *found.containerd)] = f'config_path = "{found.certs}"'


def spec(**more: object) -> ClusterSpec:
    return ClusterSpec(name="c", run_id="r", kubernetes="1.35", **more)  # type: ignore[arg-type]


def changing(engine: FakeEngine) -> Iterator[tuple[str, ...]]:
    looks = {"version", "ps", "inspect", "logs"}
    for words in engine.ran:
        if words[1] not in looks and words[1:3] not in {("network", "ls"), ("volume", "ls"), ("image", "inspect")}:
            yield words


def test_a_cluster_is_made_by_the_tool_loaded_and_described_by_what_it_says(
    subject: ContainerProvider, engine: FakeEngine
) -> None:
    made = subject.create(spec(), lambda _: None)
    assert made.provenance is Provenance.GENUINE
    assert made.facts["kube-apiserver"] == "v1.35.8"
    assert made.facts["registry_cluster_ip"] == "10.96.0.50"
    assert made.facts["node_image"] == NODE_IMAGES[subject.name]
    assert made.capabilities == {
        Capability.PRELOADED_IMAGES,
        Capability.OURS,
        Capability.NODE_PULLS_FIXTURES,
        Capability.CONFIGZ,
    }
    assert any("image-archive" in words or "import" in words for words in engine.ran)
    assert subject.state("c") == "ready"
    assert subject.conditions("c") == NodeConditions()
    assert [lease.name for lease in subject.list_leases()] == ["c"]


def test_what_the_nodes_do_not_have_is_not_claimed(subject: ContainerProvider, engine: FakeEngine) -> None:
    node = next(iter(words[1] for words in engine.answers if words[0] == "exec"))
    engine.answers[("exec", node, *subject.containerd)] = 'config_path = ""'
    del engine.answers["exec", node, *subject.kubectl, "get", "--raw"]
    made = subject.create(spec(), lambda _: None)
    assert made.capabilities == {Capability.PRELOADED_IMAGES, Capability.OURS}


def test_the_lease_is_on_disk_before_the_first_changing_call(subject: ContainerProvider, engine: FakeEngine) -> None:
    inner = engine.on_run
    leased: list[bool] = []

    def look(words: tuple[str, ...]) -> None:
        if [words] == list(changing(engine))[-1:]:
            leased.append(ledger.find(subject.name, "c") is not None)
        if inner is not None:
            inner(words)

    engine.on_run = look
    subject.create(spec(), lambda _: None)
    assert leased
    assert all(leased)


def test_deleting_leaves_nothing_and_may_be_repeated(subject: ContainerProvider, engine: FakeEngine) -> None:
    engine.containers["somebody-elses"] = {subject.label: "other"}
    engine.networks["kind"] = {}
    subject.create(spec(), lambda _: None)
    for _ in range(2):
        subject.delete("c")
        assert set(engine.containers) == {"somebody-elses"}
        assert set(engine.networks) == {"kind"}
        assert engine.volumes == {}
        assert subject.list_leases() == ()
        assert not place_of(subject.name, "c").root.exists()
        assert subject.state("c") == "gone"


def test_a_creation_that_fails_at_any_step_is_removed_whole(
    subject: ContainerProvider, engine: FakeEngine, tmp_path: Path
) -> None:
    subject.create(spec(), lambda _: None)
    calls = len(list(changing(engine)))
    subject.delete("c")
    inner = engine.on_run
    for number in range(1, calls + 1):
        engine.ran.clear()
        engine.images.clear()

        def fail(words: tuple[str, ...], at: int = number) -> None:
            if inner is not None:
                inner(words)
            if list(changing(engine))[at - 1 : at] == [words]:
                raise ClustersError(f"call {at} fails")

        engine.on_run = fail
        with pytest.raises(ClustersError):
            subject.create(spec(), lambda _: None)
        engine.on_run = None
        subject.collect_logs("c", tmp_path / f"logs-{number}")
        assert (tmp_path / f"logs-{number}" / "state.txt").is_file()
        subject.delete("c")
        assert (engine.containers, engine.networks, engine.volumes) == ({}, {}, {})
        assert subject.list_leases() == ()


def test_everything_that_works_on_a_cluster_carries_its_mark(subject: ContainerProvider, engine: FakeEngine) -> None:
    subject.create(spec(), lambda _: None)
    mark = place_of(subject.name, "c").mark
    marked = [
        environment.get(MARK_VARIABLE)
        for words, environment in zip(engine.ran, engine.environments, strict=True)
        if words[1:3] in {("create", "cluster"), ("cluster", "create"), ("load", "image-archive"), ("image", "import")}
    ]
    assert len(marked) == 2
    assert set(marked) == {mark}


def test_a_name_that_is_taken_is_refused_and_what_bears_it_stays(
    subject: ContainerProvider, engine: FakeEngine
) -> None:
    subject.create(spec(), lambda _: None)
    before = dict(engine.containers)
    with pytest.raises(UsageError, match="already"):
        subject.create(spec(), lambda _: None)
    assert engine.containers == before


def test_a_node_image_that_cannot_be_pulled_is_told_with_the_way_out(
    subject: ContainerProvider, engine: FakeEngine
) -> None:
    engine.pullable.clear()
    with pytest.raises(UnavailableError, match=f"{node_images.variable(subject.name)}.*assembled"):
        subject.create(spec(), lambda _: None)


def test_a_container_that_ended_is_told(subject: ContainerProvider, engine: FakeEngine) -> None:
    subject.create(spec(), lambda _: None)
    assert subject.why_broken("c") is None
    engine.answers[("inspect",)] = "/node false ended with 137, out of memory: true"
    assert subject.why_broken("c") == "node false ended with 137, out of memory: true"
    assert subject.state("c") == "broken"
    engine.containers.clear()
    assert "gone" in (subject.why_broken("c") or "")


def test_an_engine_that_stopped_keeps_the_lease_of_what_it_may_still_have(
    subject: ContainerProvider, engine: FakeEngine
) -> None:
    subject.create(spec(), lambda _: None)
    engine.answering = False
    with pytest.raises(ClustersError, match="does not answer"):
        subject.delete("c")
    assert [lease.name for lease in subject.list_leases()] == ["c"]


def test_without_an_engine_and_without_root_the_next_step_is_told(
    subject: ContainerProvider, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.answering = False
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    reason = subject.why_unavailable() or ""
    assert "Cannot connect to the Docker daemon" in reason
    assert "docs.docker.com" in reason
    assert "\n" not in reason
    with pytest.raises(UnavailableError):
        subject.create(spec(), lambda _: None)
    assert subject.list_leases() == ()


def test_without_an_engine_root_gets_one_of_our_own(
    subject: ContainerProvider, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.answering = False
    monkeypatch.setattr(own, "why_impossible", lambda: None)
    assert subject.why_unavailable() is None


def test_conditions_that_no_container_can_give_are_refused(subject: ContainerProvider) -> None:
    assert subject.why_impossible(NodeConditions(emulators=True)) == f"{subject.name} installs no emulators"
    with pytest.raises(UnavailableError, match="emulators"):
        subject.create(spec(conditions=NodeConditions(emulators=True)), lambda _: None)


def test_podman_is_called_when_kind_is_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIND_EXPERIMENTAL_PROVIDER", "podman")
    assert PROVIDERS["kind"].program() == "podman"
    assert PROVIDERS["k3d"].program() == "docker"


def test_an_assembled_image_makes_a_stand_in_and_goes_with_its_cluster(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, subject: ContainerProvider
) -> None:
    names = ("kind", "k3d", "k3d-tools", "k3d-proxy")
    made = nodes.NodeImages(archive=Path("/nodes.tar"), references={name: f"made/{name}" for name in names})
    monkeypatch.setenv(node_images.variable(subject.name), node_images.ASSEMBLED)
    monkeypatch.setattr(nodes, "ensure", lambda *_: made)
    cluster = subject.create(spec(), lambda _: None)
    assert cluster.provenance is Provenance.STAND_IN
    assert "stand-in" in cluster.facts["node_image_origin"]
    assert ("docker", "load", "--input", "/nodes.tar") in engine.ran
    record = records.read(place_of(subject.name, "c"))
    assert record is not None
    assert set(record.loaded) == {f"made/{name}" for name in names}
    subject.delete("c")
    assert ("docker", "image", "rm", f"made/{subject.name}") in engine.ran


def test_images_that_a_registry_has_are_pulled_and_only_the_others_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder_images, "_published", lambda cluster, _: dict.fromkeys(cluster.images))
    found = builder_images.prepare(spec(), has_registry=True, progress=lambda _: None)
    assert found.archive is None
    assert set(found.images) == spec().images
