from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any, cast

import pytest

from clusters import providers
from clusters.existing.provider import ExistingProvider
from clusters.provider import Capability
from conformance import consent, matrix, probes
from conformance.model import Cell, Facts, Level, PsaLevel
from conformance.options import Request
from conformance.plan import Plan
from conformance.probes.context import ProbeRun

BUILDERS = matrix.load("default").builders


def cell(builder: str, level: PsaLevel, provider: str = "existing") -> Cell:
    name = f"{provider}-1.35-{level}-{builder}"
    return Cell(id=name, provider=provider, kubernetes="1.35", level=Level(psa=level), builder=BUILDERS[builder])


PRIVILEGED = cell("rootful-privileged", PsaLevel.PRIVILEGED)


def test_a_privileged_pod_needs_consent_where_the_cluster_is_not_ours() -> None:
    assert "--allow-privileged" in (consent.why_not(PRIVILEGED, frozenset(), allowed=False) or "")
    assert consent.why_not(PRIVILEGED, frozenset(), allowed=True) is None
    assert consent.why_not(PRIVILEGED, {Capability.OURS}, allowed=False) is None


def test_what_is_not_privileged_or_is_refused_anyway_needs_none() -> None:
    assert consent.why_not(cell("rootless-unset", PsaLevel.PRIVILEGED), frozenset(), allowed=False) is None
    assert consent.why_not(cell("rootful-privileged", PsaLevel.BASELINE), frozenset(), allowed=False) is None


@pytest.mark.parametrize("kind", ["containers", "initContainers"])
def test_a_privileged_container_that_nothing_would_refuse_is_not_created(kind: str) -> None:
    pod = {"spec": {kind: [{"name": "x", "securityContext": {"privileged": True}}]}}
    assert "container x is privileged" in (consent.why_not_pod(pod, unenforced="exempt") or "")
    assert consent.why_not_pod(pod, unenforced="") is None
    assert consent.why_not_pod({"spec": {kind: [{"name": "x"}]}}, unenforced="exempt") is None


def test_a_plan_says_what_it_leaves_out_and_what_follows_from_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "PROVIDERS", {"existing": ExistingProvider(), "embedded": object()})
    probed = cell("rootless-unset", PsaLevel.BASELINE).model_copy(update={"probes": ("isolation", "kill")})
    plan = Plan(matrix="default", cells=(probed,), controls=(PRIVILEGED,))
    said = "\n".join(consent.notes(plan, Request()))
    assert PRIVILEGED.id in said
    assert "failures on this cluster stay inconclusive" in said
    assert "these probes do not look: kill" in said
    assert not list(consent.notes(plan, Request(allow_privileged=True, allow_disruptive=True)))
    ours = Plan(matrix="default", cells=(), controls=(cell("rootful-privileged", PsaLevel.PRIVILEGED, "embedded"),))
    assert not list(consent.notes(ours, Request()))


@pytest.mark.parametrize(("allowed", "ours", "looks"), [(False, False, 0), (True, False, 1), (False, True, 1)])
def test_a_disruptive_probe_looks_only_where_it_may(*, allowed: bool, ours: bool, looks: int) -> None:
    looked: list[object] = []

    def look(run: ProbeRun) -> Facts:
        looked.append(run)
        return {}

    capabilities = frozenset({Capability.OURS}) if ours else frozenset()
    cell_run = SimpleNamespace(cluster=SimpleNamespace(capabilities=capabilities), allow_disruptive=allowed)
    run = cast("Any", SimpleNamespace(cell_run=cell_run))
    probe = dataclasses.replace(probes.PROBES["kill"], look=look, requires=frozenset())
    seen = probes._look(probe, run)
    assert len(looked) == looks
    assert bool(looks) or "--allow-disruptive" in seen.reason
