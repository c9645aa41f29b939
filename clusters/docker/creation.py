"""The creation of a cluster in containers, as a list of steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clusters import waiting
from clusters.docker import description, node_images, records
from clusters.docker.builder_images import BuilderImages
from clusters.docker.node_images import NodeImage
from clusters.docker.timeouts import TIMEOUTS
from clusters.docker.tools import Program
from clusters.docker.work import Nodes, Work
from clusters.errors import ClusterFailedError
from clusters.provider import Cluster

if TYPE_CHECKING:
    from clusters.docker.provider import ContainerProvider

#: Of `kubectl rollout status`: the pods that answer names.
_DNS = ("rollout", "status", "deployment/coredns", "--namespace=kube-system", "--timeout=10s")
_READY = ("wait", "--for=condition=Ready", "nodes", "--all", "--timeout=10s")


def create(
    provider: ContainerProvider, work: Work, *, program: Program, image: NodeImage, images: BuilderImages
) -> Cluster:
    """Stand a cluster up on an engine. What was made stays when this raises, for its logs."""
    with work.step("bring the node image"):
        if image.made is not None:
            _remember(work, image)
        node_images.bring(image, work.engine, provider.name, work.progress)
    with work.step(f"{provider.name} create"):
        provider.make(work, program, image)
    nodes = _nodes(provider, work)
    if images.archive is not None:
        with work.step("load images"):
            provider.load(work, program, images.archive)
    with work.step("tell nodes of the fixture registry"):
        facts = description.addresses(work, nodes, provider.kubectl)
        description.tell_of_registry(work, nodes, facts, provider.certs)
    with work.step("nodes ready"):
        _wait(provider, work, nodes, _READY, "all nodes to be Ready")
    with work.step("cluster DNS"):
        _wait(provider, work, nodes, _DNS, "cluster DNS")
    with work.step("describe the cluster"):
        facts |= description.facts(work, nodes, provider.kubectl, image)
        facts[provider.name] = program.version
        capabilities = description.capabilities(
            work,
            nodes,
            provider.kubectl,
            certs=provider.certs,
            containerd=provider.containerd,
            enforcer=provider.enforcer,
        )
    _complete(work, facts)
    return Cluster(
        name=work.spec.name,
        provider=provider.name,
        run_id=work.spec.run_id,
        kubeconfig=work.place.kubeconfig,
        kubernetes=work.spec.kubernetes,
        provenance=image.provenance,
        capabilities=capabilities,
        images=images.images,
        facts=facts,
    )


def _nodes(provider: ContainerProvider, work: Work) -> Nodes:
    nodes = provider.nodes(work.engine, work.place)
    if nodes is None:
        raise ClusterFailedError(work.spec.name, f"{provider.name} create", "it made no node", work.place.root)
    return nodes


def _wait(provider: ContainerProvider, work: Work, nodes: Nodes, words: tuple[str, ...], what: str) -> None:
    def is_so() -> bool:
        said = work.execute(nodes.server, *provider.kubectl, *words, check=False, timeout=TIMEOUTS.ask)
        return said.returncode == 0

    waiting.until(is_so, limit=TIMEOUTS.ready, what=f"{what} of cluster {work.spec.name}", interval=0.5)


def _remember(work: Work, image: NodeImage) -> None:
    """Write down that the engine gets an image on this cluster's account, so that it goes with it."""
    record = records.read(work.place)
    if record is not None and image.made is not None:
        loaded = tuple(image.made.references.values())
        records.write(work.place, record.model_copy(update={"loaded": loaded}))


def _complete(work: Work, facts: dict[str, str]) -> None:
    record = records.read(work.place)
    if record is not None:
        records.write(work.place, record.model_copy(update={"facts": facts}))
