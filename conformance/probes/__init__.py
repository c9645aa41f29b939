"""Optional looks at a cell whose stages have passed, in order; the disruptive ones come last."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Final

from clusters.provider import Capability
from conformance.claims import conditions_of, resolve
from conformance.errors import ApiError, WaitError
from conformance.judge import judge_probe
from conformance.model import (
    Cell,
    Claim,
    Facts,
    LookStatus,
    Observation,
    Outcome,
    ProbeObservation,
    ProbeResult,
    StageStatus,
)
from conformance.probes import (
    cache,
    concurrency,
    disk_limit,
    gateway,
    gc,
    git_forms,
    isolation,
    kill,
    memory_limit,
    oci_tar,
    ownership,
    platforms,
    restart,
    secrets,
)
from conformance.probes.context import CannotLookError, LookBrokeError, Probe, ProbeRun
from conformance.stages import CellRun, StageFailedError
from conformance.waiting import Deadline

__all__ = ["PROBES", "Probe", "judge_all", "look_into"]

#: By name, in the order in which they look.
PROBES: Final[Mapping[str, Probe]] = {
    probe.name: probe
    for probe in (
        ownership.PROBE,
        secrets.PROBE,
        git_forms.PROBE,
        cache.PROBE,
        gateway.PROBE,
        oci_tar.PROBE,
        platforms.PROBE,
        concurrency.PROBE,
        gc.PROBE,
        isolation.PROBE,
        kill.PROBE,
        restart.PROBE,
        memory_limit.PROBE,
        disk_limit.PROBE,
    )
}

_STAGES_FAILED: Final = "the cell's stages did not pass"


def look_into(cell_run: CellRun, seen: Observation) -> Observation:
    """Run the cell's probes and add what they saw to an observation, whose stages and state stay as they are."""
    wanted = [probe for name, probe in PROBES.items() if name in cell_run.cell.probes]
    passed = seen.failed_stage is None and any(report.status is StageStatus.PASSED for report in seen.stages)
    if not passed:
        return seen.model_copy(update={"probes": tuple(_not_run(probe, _STAGES_FAILED) for probe in wanted)})
    looks = []
    sources = list(seen.sources)
    for probe in wanted:
        limit = float(getattr(cell_run.timeouts.probes, probe.name.replace("-", "_")))
        run = ProbeRun(name=probe.name, cell_run=cell_run, deadline=Deadline(limit), sources=sources)
        looks.append(_look(probe, run))
    return seen.model_copy(update={"probes": tuple(looks), "sources": tuple(sources)})


def judge_all(observation: Observation, cell: Cell, claims: Sequence[Claim]) -> tuple[ProbeResult, ...]:
    """Hold what each probe saw against what is claimed of it. Does no I/O: stored facts can be judged again."""
    return tuple(_judge(look, observation, cell, claims) for look in observation.probes if look.probe in PROBES)


def _look(probe: Probe, run: ProbeRun) -> ProbeObservation:
    missing = probe.requires - run.cell_run.cluster.capabilities
    if missing:
        return _not_run(probe, f"the cluster lacks {', '.join(sorted(missing))}")
    if probe.disruptive and not (run.cell_run.allow_disruptive or Capability.OURS in run.cell_run.cluster.capabilities):
        return _not_run(probe, "it disrupts, and looks on a cluster that is not ours only with --allow-disruptive")
    started = time.monotonic()
    facts: Facts = {}
    try:
        facts, status, reason = probe.look(run), LookStatus.LOOKED, ""
    except CannotLookError as error:
        status, reason = LookStatus.NOT_RUN, str(error)
    except (LookBrokeError, StageFailedError, ApiError, WaitError) as error:
        status, reason = LookStatus.BROKEN, str(error)
        run.note("broken.txt", f"{error}\n")
    seconds = round(time.monotonic() - started, 2)
    return ProbeObservation(probe=probe.name, status=status, reason=reason, facts=facts, seconds=seconds)


def _not_run(probe: Probe, reason: str) -> ProbeObservation:
    return ProbeObservation(probe=probe.name, status=LookStatus.NOT_RUN, reason=reason)


def _judge(look: ProbeObservation, observation: Observation, cell: Cell, claims: Sequence[Claim]) -> ProbeResult:
    resolution = resolve(claims, cell, conditions_of(observation.node_facts), probe=look.probe)
    claim = resolution.claim
    said = ProbeResult(
        probe=look.probe,
        outcome=Outcome.NOT_RUN if look.status is LookStatus.NOT_RUN else Outcome.INCONCLUSIVE,
        claim=claim.expect if claim is not None else None,
        claim_source=claim.source if claim is not None else "",
        reason=look.reason,
        seconds=look.seconds,
    )
    if look.status is not LookStatus.LOOKED:
        return said
    finding = PROBES[look.probe].judge(look.facts)
    judgement = judge_probe(finding, resolution)
    return said.model_copy(
        update={
            "outcome": judgement.outcome,
            "reason": judgement.reason,
            "found": finding.found,
            "detail": finding.detail,
            "evidence": finding.evidence,
        }
    )
