"""The controller's part: it alone creates clusters, runs their control cells, deletes clusters.

Each cluster has a thread, from before the first changing call until nothing of it is left. As many stand side by side
as this machine's memory allows; the next is created as soon as every cell of another has a result.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event

from clusters import interrupts, ledger, providers
from clusters.errors import ClustersError
from clusters.provider import Capability, Cluster, ImageRole
from conformance import audit, bounds, fixtures, handover, standing
from conformance.artifacts import RunFolder
from conformance.cells import bench_of, run_cell
from conformance.errors import ConformanceError
from conformance.handover import ClusterHandover, Shared
from conformance.health import why_broken
from conformance.judge import ControlVerdict, not_run
from conformance.kube import Kube
from conformance.model import Cell, ClusterKey, Result
from conformance.observe import node
from conformance.preflight import Checked
from conformance.progress import ClusterState
from conformance.turns import Turns

Say = Callable[[str], None]
Show = Callable[[str, ClusterState], None]


def _show_nothing(_: str, __: ClusterState) -> None:
    return


@dataclass(kw_only=True, slots=True)
class _Needed:
    """How long a cluster is needed: until every cell on it has a result."""

    cells: set[str]
    over: Event = field(default_factory=Event)


class Lifecycle:
    """The clusters of one run."""

    def __init__(
        self, checked: Checked, shared: Shared, folder: RunFolder, say: Say, show: Show = _show_nothing
    ) -> None:
        """Create nothing yet; `say` shows one line of progress, `show` how far a cluster is, by its name."""
        self.checked = checked
        self.folder = folder
        self._made: dict[ClusterKey, ClusterHandover] = {}
        self._shared = shared
        self._say = say
        self._show = show
        self._stop = Event()
        self._turns = Turns(checked.plan.clusters)
        self._failures: list[str] = []
        self._pools: list[ThreadPoolExecutor] = []
        self._needed = {
            key.name: _Needed(cells={cell.id for cell in checked.plan.on(key)}) for key in checked.plan.clusters
        }

    def begin(self, on_control: Callable[[Result], None]) -> None:
        """Begin to create the clusters and return at once; a cluster that fails is recorded, the others go on."""
        here, elsewhere = standing.split(self.checked.plan.clusters)
        for keys, at_once in ((here, standing.side_by_side(here)), (elsewhere, len(elsewhere))):
            if keys:
                pool = ThreadPoolExecutor(max_workers=at_once, thread_name_prefix="cluster")
                self._pools.append(pool)
                for key in keys:
                    pool.submit(self._keep, key, on_control)

    def made(self) -> tuple[ClusterHandover, ...]:
        """Return the clusters that have been handed over, those that failed too, in the plan's order."""
        made = dict(self._made)
        return tuple(made[key] for key in self.checked.plan.clusters if key in made)

    def cell_ended(self, cell_id: str) -> None:
        """Take note that a cell has a result: a cluster that no cell needs any more is deleted."""
        for needed in self._needed.values():
            needed.cells.discard(cell_id)
            if not needed.cells:
                needed.over.set()

    def end(self) -> list[str]:
        """Delete every cluster that was begun; return what could not be deleted and how to go on."""
        self._stop.set()
        for needed in self._needed.values():
            needed.over.set()
        for pool in self._pools:
            pool.shutdown(wait=True, cancel_futures=True)
        used = dict.fromkeys(key.provider for key in self.checked.plan.clusters)
        return [*self._failures, *audit.remains(self.folder.run_id, used)]

    def _keep(self, key: ClusterKey, on_control: Callable[[Result], None]) -> None:
        """Create a cluster, hand it over, wait until it is not needed, delete it; whatever happens, give way."""
        try:
            if (why := standing.why_impossible(key)) is not None:
                self._hand_over(ClusterHandover(key=key, impossible=why), on_control)
                self._show(key.name, ClusterState.IMPOSSIBLE)
            else:
                self._let_stand(key, standing.cluster_name(self.folder.run_id, key), on_control)
        except Exception as error:  # noqa: BLE001 - the workers wait for an answer, whatever it is
            self._failures.append(f"{key.name}: the harness failed: {error!r}\n{traceback.format_exc()}")
            self._hand_over(ClusterHandover(key=key, failure=f"the harness failed: {error!r}"), on_control)
        finally:
            self._turns.end(key)

    def _let_stand(self, key: ClusterKey, name: str, on_control: Callable[[Result], None]) -> None:
        made: ClusterHandover | None = None
        needed = False
        try:
            with interrupts.given_up_by(self._stop):
                self._turns.wait_for(key)
                self._show(key.name, ClusterState.CREATING)
                made = self._stand_up(key, name)
                if made.cluster is not None:
                    self._show(key.name, ClusterState.CONTROL)
                    made = self._with_control(made, on_control)
                self._hand_over(made, on_control)
                needed = made.cluster is not None
            if needed:
                self._show(key.name, ClusterState.READY)
                self._needed[key.name].over.wait()
        except KeyboardInterrupt:
            self._say(f"{key.name}: given up")
        finally:
            self._show(key.name, ClusterState.DELETING)
            self._delete(key, name, was_up=needed)
            self._show(key.name, ClusterState.GONE if needed else ClusterState.FAILED)

    def _stand_up(self, key: ClusterKey, name: str) -> ClusterHandover:
        provider = providers.find(key.provider)
        started, began = time.monotonic(), time.time()
        try:
            spec = standing.cluster_spec(self.folder.run_id, key, self.checked.plan.on(key), self.checked.request)
            if self.checked.resumed is not None:
                # What a killed run left bears the same name.
                provider.delete(name)
            cluster = provider.create(spec, lambda text: self._say(f"{key.name}: {text}"))
            made = self._furnish(key, cluster, seconds=time.monotonic() - started)
            made = made.model_copy(update={"began": began})
        except (ClustersError, ConformanceError) as error:
            self._collect_logs(key.provider, name)
            self._say(f"{key.name}: failed: {error}")
            return ClusterHandover(key=key, failure=str(error), seconds=time.monotonic() - started, began=began)
        self._say(f"{key.name}: ready in {made.seconds:.1f} s; the control cell runs first")
        return made

    def _furnish(self, key: ClusterKey, cluster: Cluster, *, seconds: float) -> ClusterHandover:
        """Start the fixtures and read the node's facts, at the same time."""
        agent, context = f"run/{cluster.run_id}", cluster.context or None
        with Kube(cluster.kubeconfig, user_agent=agent, context=context) as kube:
            fixtures.start(kube, cluster)
            image, bounded = cluster.images[ImageRole.APP].reference, bounds.are_due(cluster)
            canaries = node.start(kube, image=image, run_id=cluster.run_id, bounded=bounded)
            node_facts = node.read(kube, canaries, configz=Capability.CONFIGZ in cluster.capabilities or not bounded)
            took = fixtures.wait(kube)
            self._say(f"{key.name}: git server and registry ready after {took:.1f} s more")
            return ClusterHandover(
                key=key,
                cluster=cluster,
                seconds=seconds,
                server_version=kube.version(),
                node_facts=node_facts,
                allow_privileged=self.checked.request.allow_privileged,
            )

    def _with_control(self, made: ClusterHandover, on_control: Callable[[Result], None]) -> ClusterHandover:
        """Run the control cell of a cluster that is up, and add what it showed."""
        cell = self._control(made.key)
        if made.why_not(cell) is not None:
            return made
        result = run_cell(cell, bench_of(cell, self._shared, made))
        on_control(result)
        return made.model_copy(
            update={"control": ControlVerdict(builds=result.class_ is None, reason=result.class_ or "")}
        )

    def _control(self, key: ClusterKey) -> Cell:
        return next(cell for cell in self.checked.plan.controls if cell.key == key)

    def _hand_over(self, made: ClusterHandover, on_control: Callable[[Result], None]) -> None:
        """Tell the workers of a cluster, and what became of its control cell when that could not run."""
        self._made[made.key] = made
        if (why := made.why_not(self._control(made.key))) is not None:
            on_control(not_run(self._control(made.key), why))
        handover.write(self.folder, made)

    def _delete(self, key: ClusterKey, name: str, *, was_up: bool) -> None:
        if self.checked.request.keep and was_up:
            ledger.keep(key.provider, name)
            self._say(f"kept: `uv run python -m clusters shell {name}` looks around, `... delete {name}` removes it")
            return
        started = time.monotonic()
        # One that never was up has been reported.
        if was_up and (why := why_broken(key.provider, name)) is not None:
            self._say(f"cluster {name} broke: {why}")
            self._collect_logs(key.provider, name)
        try:
            providers.find(key.provider).delete(name)
        except Exception as error:  # noqa: BLE001 - what cannot be deleted is told, whatever kept it
            self._failures.append(f"cluster {name} may not be gone: {error}\nRun `uv run conformance janitor`.")
        else:
            self._say(f"deleted cluster {name} in {time.monotonic() - started:.1f} s")
            if (made := self._made.get(key)) is not None and made.began:
                self._made[key] = made.model_copy(update={"stood": time.time() - made.began})

    def _collect_logs(self, provider_name: str, name: str) -> None:
        into = self.folder.path / "clusters" / name
        try:
            into.mkdir(parents=True, exist_ok=True)
            providers.find(provider_name).collect_logs(name, into)
        except (ClustersError, OSError) as error:
            self._say(f"its logs could not be collected: {error}")
