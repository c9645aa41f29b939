"""One cell, from namespace to verdict."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version

from clusters.provider import Cluster
from conformance import admission, bounds, chart, consent, fixtures, namespace, probes, progress, salvage
from conformance.artifacts import RunFolder
from conformance.attempts import Attempt, another_is_due, settled
from conformance.chart import ChartAdapter, ChartInfo
from conformance.claims import conditions_of, resolve
from conformance.classify import classify, decided_early
from conformance.errors import ApiError, HelmError, WaitError
from conformance.handover import ClusterHandover, Shared
from conformance.health import why_broken
from conformance.judge import ControlVerdict, judge, result
from conformance.kube import Kube
from conformance.model import (
    Cell,
    Claim,
    NodeFacts,
    Observation,
    PsaLevel,
    Result,
    SourceKind,
    Stage,
    StageReport,
    Topology,
    Versions,
)
from conformance.observe import Known, glance, observe
from conformance.stages import CellRun, run_stages
from conformance.standalone import arrangement, client
from conformance.tools import driver_of
from conformance.waiting import Timeouts

_RELEASE = "conformance"


def _say_nothing(_: Stage) -> None:
    return


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """What every cell of one cluster shares."""

    run_id: str
    cluster: Cluster
    folder: RunFolder
    chart: ChartInfo
    adapter: ChartAdapter
    claims: tuple[Claim, ...]
    node_facts: NodeFacts
    versions: Versions
    #: What the control cell showed; None while it is the control cell itself that runs.
    control: ControlVerdict | None
    git_context: str
    keep: bool
    #: Of a cluster that is not ours: whether privileged pods may be created and disruptive probes look.
    allow_privileged: bool = False
    allow_disruptive: bool = False
    timeouts: Timeouts = field(default_factory=Timeouts)

    def kube(self, cell: Cell) -> Kube:
        """Connect as a cell: its id is in the user agent."""
        return Kube(self.cluster.kubeconfig, user_agent=f"cell/{cell.id}", context=self.cluster.context or None)


def bench_of(cell: Cell, shared: Shared, handover: ClusterHandover) -> Bench:
    """Return what a cell needs to run. Raises ApiError when its cluster is not up."""
    cluster = handover.cluster
    if cluster is None:
        raise ApiError(f"there is no cluster {handover.name}: {handover.failure}")
    image = cluster.images[cell.builder.image]
    info = shared.charts[cell.builder.topology]
    # An adapter that is named is the named chart's: the charts of other topologies have their own.
    named = shared.request.adapter if shared.request.chart in {"", info.source} else ""
    policy = cell.level.version
    versions = Versions(
        kubernetes=handover.server_version,
        policy=f"latest ({handover.server_version})" if policy == "latest" else policy,
        chart=f"{info.name} {info.version}",
        builder_image=image.reference,
        builder_image_digest=image.digest,
        builder_image_origin=image.origin,
        helm=shared.helm,
        harness=version("build-conformance"),
        git_commit=shared.git_commit,
    )
    return Bench(
        run_id=shared.run_id,
        cluster=cluster,
        folder=RunFolder.open(shared.folder),
        chart=info,
        adapter=chart.adapter_for(info, named or None),
        claims=shared.claims,
        node_facts=handover.node_facts,
        versions=versions,
        control=handover.control,
        git_context=shared.request.git_context,
        keep=shared.request.keep,
        allow_privileged=shared.request.allow_privileged,
        allow_disruptive=shared.request.allow_disruptive,
    )


def run_cell(cell: Cell, bench: Bench, *, began: Callable[[Stage], None] = _say_nothing) -> Result:
    """Run a cell, as often as is due, and return its result; everything seen is in the run's folder by then."""
    started = time.monotonic()
    resolution = resolve(bench.claims, cell, conditions_of(bench.node_facts))
    made: list[Attempt] = []
    while another_is_due(made, resolution.claim) and not _gave_out(made, bench.cluster):
        seen = _try(cell, bench, number=len(made) + 1, began=began)
        # What was written is what is judged: only that can be judged again from disk.
        written = _write(bench, cell, seen)
        finding = classify(written)
        judgement = judge(finding, cell, resolution, control=bench.control, unenforced=written.unenforced)
        made.append(Attempt(observation=written, finding=finding, judgement=judgement))
    counted, judgement = settled(made, resolution.claim)
    if len(made) > 1:
        for number, attempt in enumerate(made, start=1):
            _write(bench, cell, attempt.observation, attempt=number)
        _write(bench, cell, counted.observation)
    return result(
        cell,
        counted.finding,
        resolution,
        judgement,
        provenance=bench.cluster.provenance,
        seconds=round(time.monotonic() - started, 2),
        stages=counted.observation.stages,
        tries=[attempt.name for attempt in made if attempt is not counted],
    ).model_copy(update={"probes": probes.judge_all(counted.observation, cell, bench.claims)})


def _write(bench: Bench, cell: Cell, seen: Observation, *, attempt: int | None = None) -> Observation:
    """Write what was seen and return it as written; what cannot be written proves nothing, so the cell has failed."""
    try:
        return bench.folder.write_observation(cell.id, seen, attempt=attempt)
    except OSError as error:
        return salvage.unwritten(seen, error)


def _gave_out(made: Sequence[Attempt], cluster: Cluster) -> bool:
    """Say whether the cluster died under the last try: no other try could say more."""
    return bool(made) and not made[-1].conclusive and why_broken(cluster.provider, cluster.name) is not None


def _try(cell: Cell, bench: Bench, *, number: int, began: Callable[[Stage], None]) -> Observation:
    """Give the cell a namespace of its own, run its stages there, look at everything, and remove the namespace."""
    name = namespace.name_for(bench.run_id, f"{cell.id}-{number}" if number > 1 else cell.id)
    began = progress.noting(bench.folder, cell.id, began)
    with bench.kube(cell) as kube:
        cell_run = _cell_run(cell, bench, kube, name)
        known = Known(
            prediction=None, rendered_pod={}, predicted_pod={}, node_facts=bench.node_facts, versions=bench.versions
        )
        stages: tuple[StageReport, ...] = ()
        try:
            began(Stage.ADMISSION)
            known, stages = _install(cell, bench, cell_run, known)
            stages = stages or run_stages(cell_run, began=began)
            # Looked at before the probes: what they do on purpose is not held against the builder.
            seen = probes.look_into(cell_run, observe(cell_run, stages, known))
        except (ApiError, WaitError) as error:
            # The cluster itself is ill: what has been seen so far is all there will be.
            seen = salvage.broken_off(cell_run, known, stages, str(error))
        finally:
            if not bench.keep:
                for place in filter(None, (cell_run.client_namespace, name)):
                    _remove(kube, place)
        return salvage.with_cluster(seen, bench.cluster, notice=bench.timeouts.notice)


def _install(cell: Cell, bench: Bench, cell_run: CellRun, known: Known) -> tuple[Known, tuple[StageReport, ...]]:
    """Label the namespace, predict, install. A refused install is the admission stage's failure."""
    labelled = namespace.manifest(cell_run.namespace, level=cell.level, run_id=bench.run_id, cell_id=cell.id)
    namespace.create(cell_run.kube, labelled, bounded=bounds.are_due(bench.cluster))
    if bounds.are_due(bench.cluster) and cell.level.psa is not PsaLevel.PRIVILEGED:
        known = replace(known, unenforced=admission.why_not_in_force(cell_run.kube, cell_run.namespace, cell.level))
    tls = arrangement.before_install(cell_run, run_id=bench.run_id) if cell_run.client_namespace else None
    values = bench.adapter.values(cell.builder, bench.cluster.images, cell_run.fixtures.registry)
    post_renderer = bench.adapter.post_renderer(cell.builder, registry=cell_run.fixtures.registry, release=_RELEASE)
    try:
        manifests = chart.render(
            bench.chart,
            values,
            release=_RELEASE,
            namespace=cell_run.namespace,
            kubernetes=cell.kubernetes,
            post_renderer=post_renderer,
        )
        pod = chart.pod_template(manifests, container=bench.adapter.builder_container)
        prediction, predicted = namespace.predict(cell_run.kube, cell_run.namespace, pod)
        known = replace(known, prediction=prediction, rendered_pod=pod, predicted_pod=predicted)
        if why := _why_not(bench, cell, known):
            return known, salvage.failed_before(why)
        said = chart.install(
            bench.chart,
            values,
            release=_RELEASE,
            namespace=cell_run.namespace,
            kubeconfig=bench.cluster.kubeconfig,
            context=bench.cluster.context,
            post_renderer=post_renderer,
        )
    except HelmError as error:
        cell_run.note("helm.txt", SourceKind.HELM, f"{error}\n", stage=Stage.ADMISSION)
        return known, salvage.failed_before(str(error))
    cell_run.note("helm.txt", SourceKind.HELM, said, stage=Stage.ADMISSION)
    if tls is not None:
        cell_run.connection = arrangement.after_install(cell_run, tls, known.rendered_pod)
    return known, ()


def _why_not(bench: Bench, cell: Cell, known: Known) -> str | None:
    """Say why the pod must not be created on a cluster that is not ours, or None."""
    if bench.allow_privileged or not bounds.are_due(bench.cluster):
        return None
    free = known.unenforced or ("there is none" if cell.level.psa is PsaLevel.PRIVILEGED else "")
    return consent.why_not_pod(known.rendered_pod, unenforced=free)


def _cell_run(cell: Cell, bench: Bench, kube: Kube, name: str) -> CellRun:
    addresses = fixtures.addresses()
    driver = driver_of(cell.builder, bench.adapter.connection(cell.builder, name))
    cell_run = CellRun(
        cell=cell,
        cluster=bench.cluster,
        kube=kube,
        fixtures=addresses,
        namespace=name,
        release=_RELEASE,
        builder_container=bench.adapter.builder_container,
        client_container=bench.adapter.client_container,
        timeouts=bench.timeouts,
        git_context=bench.git_context or (addresses.git_context if driver.speaks_git else addresses.http_context),
        driver=driver,
        allow_disruptive=bench.allow_disruptive,
    )
    if cell.builder.topology is Topology.STANDALONE:
        # Under the same name as the try's own namespace, which is unique to it.
        cell_run.client_namespace = namespace.name_for(bench.run_id, f"{name}-client")
        cell_run.client_labels = client.selector()
    cell_run.decided = lambda: decided_early(glance(cell_run))
    return cell_run


def _remove(kube: Kube, name: str) -> None:
    try:
        kube.delete_namespace(name)
    except ApiError:
        # The cluster is going or gone; its provider removes what is left.
        return
