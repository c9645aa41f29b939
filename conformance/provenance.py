"""Who ran what, where, with which versions: `run.json`, readable without the harness."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version

from clusters import process
from clusters.paths import CHECKOUT
from clusters.provider import Provenance
from conformance import money
from conformance.chart import ChartInfo
from conformance.handover import ClusterHandover
from conformance.model import ChartRecord, ClusterRecord, Cost, HostFacts, ImageRecord, Run
from conformance.options import Request

_PACKAGES = ("kubernetes", "pyhelm3", "pytest", "pytest-xdist")


def now() -> str:
    """Return the time, ISO 8601, UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def begun(
    run_id: str, *, request: Request, chart: ChartInfo, charts: Iterable[ChartInfo], helm: str, rules: str
) -> Run:
    """Return what is known of a run when it begins."""
    commit, dirty = git_state()
    return Run(
        run_id=run_id,
        started=now(),
        argv=tuple(sys.argv),
        options=tuple(request.arguments()),
        matrix=request.matrix,
        harness=version("build-conformance"),
        git_commit=commit,
        git_dirty=dirty,
        rules=rules,
        chart=_chart(chart),
        charts=tuple(_chart(each) for each in charts),
        host=_host(),
        versions={"helm": helm, **{name: version(name) for name in _PACKAGES}},
    )


def ended(run: Run, clusters: Iterable[ClusterHandover], *, interrupted: bool) -> Run:
    """Add what is known when it has ended; of a run that was taken up, its earlier clusters stay."""
    records = {each.cluster: each for each in (*run.clusters, *(_cluster(made) for made in clusters))}
    return run.model_copy(update={"ended": now(), "interrupted": interrupted, "clusters": tuple(records.values())})


def git_state() -> tuple[str, bool]:
    """Return the harness's commit and whether the checkout differs from it; empty outside a checkout."""
    if not (CHECKOUT / ".git").exists():
        return "", False
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    head = process.run(["git", "rev-parse", "HEAD"], cwd=CHECKOUT, env=environment, check=False)
    if head.returncode != 0:
        return "", False
    changes = process.run(["git", "status", "--porcelain"], cwd=CHECKOUT, env=environment, check=False)
    return head.stdout.strip(), bool(changes.stdout.strip())


def _chart(info: ChartInfo) -> ChartRecord:
    return ChartRecord(name=info.name, version=info.version, origin=info.source, digest=info.digest)


def _cluster(handover: ClusterHandover) -> ClusterRecord:
    key, cluster = handover.key, handover.cluster
    return ClusterRecord(
        cluster=key.name,
        provider=key.provider,
        kubernetes=key.kubernetes,
        kind_of_node=key.node,
        version=handover.server_version,
        provenance=cluster.provenance if cluster else Provenance.GENUINE,
        images=tuple(
            ImageRecord(role=image.role, reference=image.reference, digest=image.digest, origin=image.origin)
            for image in (cluster.images.values() if cluster else ())
        ),
        facts=dict(cluster.facts) if cluster else {},
        node=handover.node_facts,
        seconds=round(handover.seconds, 2),
        cost=_cost(handover),
        failure=handover.failure or handover.impossible,
    )


def _cost(handover: ClusterHandover) -> Cost | None:
    """Return what a cluster has cost so far; None where nothing was begun, or nothing is to pay."""
    if not handover.began:
        return None
    return money.cost(handover.key.provider, handover.stood or max(0.0, time.time() - handover.began))


def _host() -> HostFacts:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    return HostFacts(
        kernel=platform.release(),
        os=release.get("PRETTY_NAME", platform.system()),
        architecture=platform.machine(),
        python=platform.python_version(),
        cpus=os.cpu_count() or 0,
        memory=memory,
    )
