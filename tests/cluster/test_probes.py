"""What probes find on a real cluster: as claimed where nothing is broken, and each of them once something is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from clusters.provider import Cluster, ImageRole
from conformance import chart, fixtures, preflight
from conformance.artifacts import RunFolder
from conformance.cells import Bench, bench_of, run_cell
from conformance.handover import ClusterHandover, Shared
from conformance.judge import ControlVerdict
from conformance.kube import Kube
from conformance.model import Outcome, Result
from conformance.observe import node
from conformance.options import Request
from conformance.probes import (
    PROBES,
    buildkit,
    cache,
    concurrency,
    disk_limit,
    gateway,
    gc,
    git_forms,
    memory_limit,
    oci_tar,
    ownership,
    platforms,
    registry,
    restart,
    secrets,
)
from conformance.probes.context import ProbeRun
from conformance.waiting import Timeouts

pytestmark = [pytest.mark.cluster, pytest.mark.probes]

#: Without a process sandbox, and with one.
OPEN, SANDBOXED = "rootless-unset", "rootless-userns-unmasked"

#: What each probe finds once what it guards is broken, as `broken` breaks it. Without the sandbox the steps of OPEN are
#: open to each other and may kill the daemon, so isolation and kill are broken by the builder itself.
FOUND = {
    "ownership": "ownership-lost",
    "secrets": "secret-in-layer",
    "git-forms": "wrong-content",
    "cache": "cache-not-imported",
    "gateway": "syntax-fails",
    "oci-tar": "pushed-anyway",
    "platforms": "index-incomplete",
    "concurrency": "builds-lost",
    "gc": "disk-not-freed",
    "isolation": "step-reads-other-build",
    "kill": "step-can-kill-daemon",
    "restart": "cache-lost",
    "memory-limit": "limit-not-in-force",
    "disk-limit": "limit-not-in-force",
}


@pytest.fixture(scope="module")
def handover(cluster: Cluster) -> Iterator[ClusterHandover]:
    request = Request(matrix="probes", builder=(OPEN,))
    (key,) = preflight.check(request).plan.clusters
    with Kube(cluster.kubeconfig, user_agent="test") as kube:
        fixtures.start(kube, cluster)
        image = cluster.images[ImageRole.APP].reference
        facts = node.read(kube, node.start(kube, image=image, run_id=cluster.run_id), configz=True)
        fixtures.wait(kube)
        control = ControlVerdict(builds=True)
        try:
            yield ClusterHandover(
                key=key, cluster=cluster, server_version=kube.version(), node_facts=facts, control=control
            )
        finally:
            kube.delete_namespace(fixtures.NAMESPACE)


def ran(handover: ClusterHandover, folder: Path, builder: str, *, eviction: float = Timeouts().eviction) -> Result:
    """Run the cell of a builder at the level baseline with every probe."""
    checked = preflight.check(Request(matrix="probes", builder=(builder,), run_dir=folder))
    (cell,) = checked.plan.cells
    made = RunFolder.create(folder)
    made.write_plan(checked.plan)
    shared = Shared(
        run_id=made.run_id,
        folder=made.path,
        request=checked.request,
        charts=dict(checked.charts),
        claims=checked.claims,
        helm=chart.helm_version(),
        git_commit="",
    )
    bench: Bench = replace(bench_of(cell, shared, handover), timeouts=replace(Timeouts(), eviction=eviction))
    return run_cell(cell, bench)


def findings(result: Result) -> dict[str, str | None]:
    return {probe.probe: probe.found for probe in result.probes}


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Break in a real build, registry or pod what each probe guards; what it looks at and how it judges stays."""
    monkeypatch.setitem(ownership._BUILDS, "copy", ("COPY hello.txt /owned",))
    leak = "RUN --mount=type=secret,id=file cp /run/secrets/file /leaked"
    steps = (*secrets.steps(), leak)
    monkeypatch.setattr(secrets, "steps", lambda: steps)
    monkeypatch.setitem(git_forms._FORMS, "tag", ("#main", "hello.txt", "v1:hello.txt"))
    monkeypatch.setattr(gateway, "sources", _frontend_removed)
    monkeypatch.setattr(oci_tar, "output", lambda run: f"--output=type=image,name={run.image('archive')},push=true")
    monkeypatch.setattr(platforms, "_BOTH", "--opt=platform=linux/amd64")
    monkeypatch.setattr(
        concurrency, "_STEP", f"RUN [ $NUMBER != 3 ] || exit 1; {concurrency._STEP.removeprefix('RUN ')}"
    )
    monkeypatch.setattr(gc, "KEPT", 100_000)
    monkeypatch.setattr(restart, "_KILL", f"rm -rf /home/user/.local/share/buildkit/* 2> /dev/null\n{restart._KILL}")
    monkeypatch.setattr(memory_limit, "_STEP", "RUN true")
    monkeypatch.setattr(disk_limit, "_LIMIT", "4Gi")
    line = buildkit.line

    def losing(run: ProbeRun, *words: str, push: str, daemon: bool) -> str:
        if any(word.startswith("--import-cache") for word in words):
            _lose(run, run.image("cache"))
        return line(run, *words, push=push, daemon=daemon)

    monkeypatch.setattr(cache, "line", losing)


def _frontend_removed(run: ProbeRun) -> tuple[str, str]:
    host = run.cell_run.fixtures.registry
    return f"{host}/library/gone:latest", f"{host}/{registry.BASE}:latest"


def _lose(run: ProbeRun, image: str) -> None:
    """Let the registry lose an image's manifests."""
    name, _ = registry.split(run, image)
    path = f"/var/lib/registry/docker/registry/v2/repositories/{name}/_manifests"
    argv = ["busybox", "rm", "-r", path]
    ran = run.cell_run.kube.execute(fixtures.NAMESPACE, fixtures.REGISTRY, fixtures.REGISTRY, argv, within=20)
    assert ran.ok, ran.output


@pytest.mark.parametrize(
    ("builder", "isolation", "kill"),
    [(OPEN, "step-reads-other-build", "step-can-kill-daemon"), (SANDBOXED, "holds", "holds")],
)
def test_probes_find_what_is_claimed_and_the_sandbox_decides_what_a_step_can_do(
    handover: ClusterHandover, tmp_path: Path, builder: str, isolation: str, kill: str
) -> None:
    result = ran(handover, tmp_path, builder)
    assert result.outcome is Outcome.AS_CLAIMED
    assert {probe.probe: probe.reason for probe in result.probes if probe.outcome is not Outcome.AS_CLAIMED} == {}
    assert (findings(result)["isolation"], findings(result)["kill"]) == (isolation, kill)


@pytest.mark.usefixtures("broken")
def test_each_probe_finds_what_was_broken_on_purpose_and_the_cell_still_builds(
    handover: ClusterHandover, tmp_path: Path
) -> None:
    result = ran(handover, tmp_path, OPEN, eviction=5)
    assert result.outcome is Outcome.AS_CLAIMED
    reasons = {probe.probe: probe.reason or probe.detail for probe in result.probes}
    assert findings(result) == FOUND, reasons
    assert set(FOUND) == set(PROBES)
