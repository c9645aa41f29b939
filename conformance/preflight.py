"""Everything that is checked before anything is created: options, matrix, builders, claims, chart."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clusters.paths import CHECKOUT
from clusters.provider import Borrows, Lines
from clusters.providers import PROVIDERS
from conformance import chart, claims, consistency, matrix, money, resume, shards
from conformance import plan as planning
from conformance.artifacts import RunFolder
from conformance.chart import ChartInfo
from conformance.classify import CLASSES
from conformance.errors import UsageError
from conformance.matrix import Matrix
from conformance.model import Claim, Result, Topology
from conformance.options import Request
from conformance.plan import Plan, Selection
from conformance.probes import PROBES

_GIT_CONTEXT: Final = re.compile(r"(?:(?:https?|git|ssh)://|git@[^\s:/]+:|github\.com/)[^\s\x00-\x1f]+")

#: A chart for each topology, `build-<topology>`.
REFERENCE_CHARTS = CHECKOUT / "charts"


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """A request that holds together."""

    request: Request
    plan: Plan
    claims: tuple[Claim, ...]
    #: The chart under test for each topology of the plan.
    charts: Mapping[Topology, ChartInfo]
    #: The run that is taken up, and those of its results that stand; the plan is what remains to be run.
    resumed: RunFolder | None = None
    kept: tuple[Result, ...] = ()

    @property
    def chart(self) -> ChartInfo:
        """Return the chart the run is named after: the one that was asked for, or the first topology's."""
        return next(iter(self.charts.values()))


def check(request: Request) -> Checked:
    """Read and check everything the request names. Raises UsageError with every fault that was found."""
    return _check_resumed(resume.request(request)) if request.resume else _check_new(request)


def _check_resumed(request: Request) -> Checked:
    folder = RunFolder.open(request.resume)
    whole, kept = resume.plan_of(folder, request.matrix), resume.standing_results(folder)
    known = claims.load(matrix.load(request.matrix).folder)
    charts = _charts(request, whole)
    checked = Checked(
        request=request,
        plan=resume.remaining(whole, kept),
        claims=known,
        charts=charts,
        resumed=folder,
        kept=kept,
    )
    was = {record.name: record.digest for record in folder.read_run().charts}
    for info in charts.values():
        if was.get(info.name, info.digest) != info.digest:
            raise UsageError(f"--resume: the chart {info.source} has changed since that run: begin another run")
    money.require_within_budget(checked.plan.clusters, request)
    if not checked.plan.cells:
        raise UsageError(f"--resume: run {folder.run_id} is complete: `conformance report {folder.run_id}` shows it")
    return checked


def _check_new(request: Request) -> Checked:
    faults = [*_git_context_faults(request.git_context), *_run_dir_faults(request.run_dir), *money.faults(request)]
    choices = {name: _lines(name) for name in PROVIDERS}
    planned: Plan | None = None
    known: tuple[Claim, ...] = ()
    try:
        table = matrix.load(request.matrix)
        selection = Selection(
            clusters=request.cluster,
            kubernetes=request.kubernetes,
            nodes=request.node,
            levels=request.psa,
            builders=request.builder,
            probes=request.probe,
        )
        standing = _standing(request, table)
        faults += _standing_faults(request, standing)
        planned = planning.make(table, selection, choices, probes=tuple(PROBES), standing=standing)
        known = claims.load(table.folder)
        planned = shards.select(planned, known, shard=request.shard, cells=request.cells)
        money.require_within_budget(planned.clusters, request)
        every = planning.reachable((table, *(matrix.load(name) for name in matrix.names())), choices)
        consistency.check(
            known,
            builders=table.builders,
            providers=PROVIDERS,
            classes=CLASSES,
            cells=(*planned, *every),
            probes={name: probe.findings for name, probe in PROBES.items()},
        )
    except UsageError as error:
        faults += error.faults
    try:
        charts = _charts(request, planned)
    except UsageError as error:
        raise UsageError(*faults, *error.faults) from error
    if faults or planned is None:
        raise UsageError(*faults)
    return Checked(request=request, plan=planned, claims=known, charts=charts)


def _charts(request: Request, plan: Plan | None) -> dict[Topology, ChartInfo]:
    """Return the chart for each topology of a plan, the one that was asked for first. Raises UsageError."""
    charts: dict[Topology, ChartInfo] = {}
    if request.adapter and not request.chart:
        raise UsageError("--adapter says how the chart under test is told to run a builder: name it with --chart")
    if request.chart:
        info = chart.load(request.chart)
        charts[chart.adapter_for(info, request.adapter or None).topology] = info
    for topology in sorted({cell.builder.topology for cell in plan or ()}, key=[*Topology].index):
        if topology not in charts:
            charts[topology] = chart.load(str(REFERENCE_CHARTS / f"build-{topology}"))
    return charts


def _lines(provider: str) -> tuple[str, ...]:
    """Return the Kubernetes lines a provider has; none listed: any line goes."""
    found = PROVIDERS[provider]
    return found.kubernetes_lines() if isinstance(found, Lines) else ()


def _standing(request: Request, table: Matrix) -> dict[str, str]:
    """Return the Kubernetes lines of clusters that stand already, by provider: asked of their servers.

    Raises ClustersError.
    """
    named = request.cluster or tuple({name for block in table.blocks for name in block.clusters})
    kubeconfig = Path(request.kubeconfig) if request.kubeconfig else None
    known = [(name, PROVIDERS[name]) for name in named if name in PROVIDERS]
    return {
        name: each.kubernetes_line(kubeconfig, request.context) for name, each in known if isinstance(each, Borrows)
    }


def _standing_faults(request: Request, standing: Mapping[str, str]) -> Iterator[str]:
    for name, line in standing.items():
        if request.kubernetes and line not in request.kubernetes:
            yield f"--kubernetes: the cluster of {name!r} runs {line}: leave the option out, or name another cluster"
    given = [word for word, value in (("--kubeconfig", request.kubeconfig), ("--context", request.context)) if value]
    if given and not standing:
        yield f"{', '.join(given)}: that is the cluster of --cluster existing: add it"


def _git_context_faults(context: str) -> Iterator[str]:
    """Refuse what BuildKit would take for something else than a git repository (docs.docker.com, build context)."""
    if context and not _GIT_CONTEXT.fullmatch(context):
        yield (
            f"--git-context: {context!r} is no git context: write such as https://host/repo.git#ref:subdir,"
            " git://host/repo.git or git@host:repo.git"
        )


def _run_dir_faults(folder: Path) -> Iterator[str]:
    """Refuse a folder that cannot be made or written to, without making it."""
    nearest = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if not nearest.is_dir():
        yield f"--run-dir: {nearest} is no folder: name another one"
    elif not os.access(nearest, os.W_OK | os.X_OK):
        yield f"--run-dir: {nearest} cannot be written to: name another folder, or change its owner or mode"
