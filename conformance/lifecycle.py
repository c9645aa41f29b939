"""The controller's part: it alone creates clusters, runs their control cells, writes results, deletes clusters."""

from __future__ import annotations

import time
from collections.abc import Callable

from clusters import ledger, providers
from clusters.errors import ClustersError
from clusters.provider import Cluster, ClusterSpec, ImageRole
from conformance import fixtures
from conformance.artifacts import RunFolder
from conformance.cells import bench_of, run_cell
from conformance.errors import ConformanceError
from conformance.handover import ClusterHandover, Handover, Shared
from conformance.health import why_broken
from conformance.judge import ControlVerdict
from conformance.kube import Kube
from conformance.model import Result
from conformance.observe import node
from conformance.preflight import Checked

Say = Callable[[str], None]


class Lifecycle:
    """The clusters of one run, from before the first changing call until nothing of them is left."""

    def __init__(self, checked: Checked, shared: Shared, folder: RunFolder, say: Say) -> None:
        """Create nothing yet; `say` shows one line of progress."""
        self.checked = checked
        self.folder = folder
        self._shared = shared
        self._say = say
        #: (provider, cluster name) of whatever may exist.
        self._begun: list[tuple[str, str]] = []
        #: Names of those that came up.
        self._up: set[str] = set()

    def begin(self, on_control: Callable[[Result], None]) -> Handover:
        """Create each cluster and run its control cell. A cluster that fails is recorded, the others go on."""
        clusters = tuple(self._stand_up(name, line, on_control) for name, line in self.checked.plan.clusters)
        return Handover(shared=self._shared, cells=self.checked.plan.cells, clusters=clusters)

    def end(self) -> list[str]:
        """Delete every cluster that was begun; return what could not be deleted and how to go on."""
        failures = []
        while self._begun:
            provider, name = self._begun.pop()
            if self.checked.request.keep:
                ledger.keep(provider, name)
                self._say(
                    f"kept: `uv run python -m clusters shell {name}` looks around, `... delete {name}` removes it"
                )
                continue
            started = time.monotonic()
            if (why := self._why_broken(provider, name)) is not None:
                self._say(f"cluster {name} broke: {why}")
                self._collect_logs(provider, name)
            try:
                providers.find(provider).delete(name)
            except ClustersError as error:
                failures.append(f"cluster {name} may not be gone: {error}\nRun `uv run conformance janitor`.")
            else:
                self._say(f"deleted cluster {name} in {time.monotonic() - started:.1f} s")
        return failures

    def _stand_up(self, provider_name: str, line: str, on_control: Callable[[Result], None]) -> ClusterHandover:
        title = f"{provider_name}-{line}"
        provider = providers.find(provider_name)
        spec = cluster_spec(self.folder.run_id, line)
        self._begun.append((provider_name, spec.name))
        started = time.monotonic()
        try:
            cluster = provider.create(spec, lambda text: self._say(f"{title}: {text}"))
            handover = self._furnish(title, cluster, seconds=time.monotonic() - started)
        except (ClustersError, ConformanceError) as error:
            self._collect_logs(provider_name, spec.name)
            self._say(f"{title}: failed: {error}")
            return ClusterHandover(name=title, failure=str(error), seconds=time.monotonic() - started)
        self._up.add(spec.name)
        self._say(f"{title}: ready in {handover.seconds:.1f} s; the control cell runs first")
        control = self._run_control(handover)
        on_control(control)
        builds = control.class_ is None
        reason = control.class_ or ""
        return handover.model_copy(update={"control": ControlVerdict(builds=builds, reason=reason)})

    def _furnish(self, title: str, cluster: Cluster, *, seconds: float) -> ClusterHandover:
        """Start the fixtures and read the node's facts, at the same time."""
        with Kube(cluster.kubeconfig, user_agent=f"run/{cluster.run_id}") as kube:
            fixtures.start(kube, cluster)
            canaries = node.start(kube, image=cluster.images[ImageRole.APP].reference, run_id=cluster.run_id)
            node_facts = node.read(kube, canaries)
            took = fixtures.wait(kube)
            self._say(f"{title}: git server and registry ready after {took:.1f} s more")
            return ClusterHandover(
                name=title, cluster=cluster, seconds=seconds, server_version=kube.version(), node_facts=node_facts
            )

    def _run_control(self, handover: ClusterHandover) -> Result:
        cell = next(each for each in self.checked.plan.controls if each.cluster == handover.name)
        return run_cell(cell, bench_of(cell, self._shared, handover))

    def _why_broken(self, provider_name: str, name: str) -> str | None:
        """Say why a cluster that had been up does not work any more, or None; one that never was has been reported."""
        return why_broken(provider_name, name) if name in self._up else None

    def _collect_logs(self, provider_name: str, name: str) -> None:
        into = self.folder.path / "clusters" / name
        try:
            into.mkdir(parents=True, exist_ok=True)
            providers.find(provider_name).collect_logs(name, into)
        except (ClustersError, OSError) as error:
            self._say(f"its logs could not be collected: {error}")


def cluster_spec(run_id: str, line: str) -> ClusterSpec:
    """Return what is asked of a provider for a run's cluster of one Kubernetes line."""
    return ClusterSpec(name=f"{run_id}-{line.replace('.', '-')}", run_id=run_id, kubernetes=line)
