"""A node that is asked to be unlike others is so, as pods see it; and the machine forgets it with the cluster."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from clusters import ledger, process, waiting
from clusters.embedded import emulators, layout
from clusters.embedded.provider import EmbeddedProvider
from clusters.embedded.toolchain import DEFAULT_LINE
from clusters.provider import SECCOMP_PROFILES, Cluster, ClusterSpec, ImageRole, NodeConditions
from conformance import claims, namespace
from conformance.kube import Json, Kube
from conformance.model import Level, NodeFacts, PsaLevel
from conformance.observe import node, reader
from tests.cluster.leftovers import look

pytestmark = pytest.mark.cluster

NAME = "t-conditions"
EVERYTHING = NodeConditions(seccomp_default=True, ids_per_pod=262144, seccomp_profiles=True, emulators=True)

#: Seconds for something that takes one or two.
SOON = 60.0


@pytest.fixture(scope="module")
def provider() -> EmbeddedProvider:
    return EmbeddedProvider()


@pytest.fixture(scope="module", autouse=True)
def binfmt_misc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Have the file system mounted by somebody else, as systemd does: what is registered then outlives a cluster."""
    folder = tmp_path_factory.mktemp("binfmt")
    script = 'mount -t binfmt_misc binfmt_misc "$0" && touch "$1" && exec sleep 600'
    ready = folder / "ready"
    (folder / "there").mkdir()
    holder = process.spawn(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, folder / "there", ready],
        log=folder / "log",
    )
    waiting.until(ready.exists, limit=SOON, what="binfmt_misc to be mounted")
    yield
    holder.kill()
    holder.wait(SOON)


@pytest.fixture(scope="module")
def made(provider: EmbeddedProvider) -> Iterator[Cluster]:
    spec = ClusterSpec(name=NAME, run_id=NAME, kubernetes=DEFAULT_LINE, conditions=EVERYTHING)
    before = look(NAME)
    try:
        provider.prepare(spec, _say)
        yield provider.create(spec, _say)
    finally:
        found = emulators.registered()
        provider.delete(NAME)
    assert len(found) == 1
    assert emulators.registered() == ()
    assert look(NAME) == before
    assert ledger.find("embedded", NAME) is None


def facts_of(cluster: Cluster) -> NodeFacts:
    with Kube(cluster.kubeconfig, user_agent="tests") as kube:
        image = cluster.images[ImageRole.APP].reference
        return node.read(kube, node.start(kube, image=image, run_id=f"facts-{cluster.name}"))


def test_every_condition_is_read_back_from_what_pods_see(made: Cluster, provider: EmbeddedProvider) -> None:
    facts = facts_of(made)
    assert facts.seccomp_default is True
    assert facts.ids_per_pod == 262144
    assert facts.seccomp_profiles == SECCOMP_PROFILES
    assert facts.emulators == (("arm64",) if facts.architecture == "amd64" else ("amd64",))
    known = claims.conditions_of(facts)
    assert (known["seccomp_profiles"], known["emulators"]) == (True, True)
    assert provider.conditions(NAME) == EVERYTHING


def test_a_plain_node_has_none_of_them(cluster: Cluster) -> None:
    facts = facts_of(cluster)
    assert facts.seccomp_default is False
    assert facts.ids_per_pod == 65536
    assert facts.seccomp_profiles == ()
    assert claims.conditions_of(facts)["seccomp_profiles"] is False


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ({"type": "Localhost", "localhostProfile": SECCOMP_PROFILES[0]}, "yes\n"),
        ({"type": "Localhost", "localhostProfile": SECCOMP_PROFILES[1]}, "yes\n"),
        ({"type": "RuntimeDefault"}, "no\n"),
    ],
)
def test_the_profiles_let_rootlesskit_make_namespaces(made: Cluster, profile: dict[str, str], expected: str) -> None:
    with Kube(made.kubeconfig, user_agent="tests") as kube:
        name = namespace.name_for(NAME, profile.get("localhostProfile", "default"))
        manifest = namespace.manifest(name, level=Level(psa=PsaLevel.BASELINE), run_id=NAME, cell_id="profiles")
        namespace.create(kube, manifest)
        kube.create_pod(name, _unshares(made, profile))
        said = reader.output(kube, name, "p", "c", within=SOON)
        kube.delete_namespace(name)
    assert said == expected


def test_the_machine_sees_one_registration_under_the_clusters_name(made: Cluster) -> None:
    (name,) = emulators.registered()
    assert name.startswith(f"{layout.EMULATOR_PREFIX}{layout.layout_of(made.name).digest}-")


def _unshares(cluster: Cluster, profile: dict[str, str]) -> Json:
    command = "rootlesskit true 2>/dev/null && echo yes || echo no"
    container = {
        "name": "c",
        "image": cluster.images[ImageRole.BUILDKIT_ROOTLESS].reference,
        "command": ["sh", "-c", command],
        "securityContext": {"seccompProfile": profile},
    }
    spec = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0, "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
