"""Judge a run again from its artefacts, with today's rules and claims and without a cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from conformance import probes
from conformance.artifacts import INTERRUPTED, RunFolder
from conformance.claims import conditions_of, resolve
from conformance.judge import ControlVerdict, judge, not_run, result
from conformance.model import Cell, Claim, Finding, Observation, Result, Role


class Replayed(NamedTuple):
    """A cell's result as the run wrote it, and as it would be written today."""

    before: Result
    after: Result

    @property
    def changed(self) -> bool:
        """Say whether the verdict or its evidence is another one."""
        return verdict(self.before) != verdict(self.after)


def verdict(line: Result) -> tuple[object, ...]:
    """Return the part of a result that rules and claims decide."""
    looked = tuple((each.probe, each.outcome, each.found, each.claim, each.evidence) for each in line.probes)
    return line.outcome, line.class_, line.layer, line.kind, line.claim, line.evidence, line.candidates, looked


def replay(
    folder: RunFolder, classify: Callable[[Observation], Finding], claims: Sequence[Claim]
) -> tuple[Replayed, ...]:
    """Return every planned cell's result before and after, in the plan's order.

    A cell of which nothing was seen keeps its result. Raises UsageError when an artefact is damaged.
    """
    plan = folder.read_plan()
    stored = {line.cell: line for line in folder.read_results()}
    controls: dict[str, ControlVerdict] = {}
    replayed: dict[str, Replayed] = {}
    for cell in sorted(plan, key=lambda cell: cell.role is not Role.CONTROL):
        before = stored.get(cell.id) or not_run(cell, INTERRUPTED)
        observation = folder.read_observation(cell.id)
        if observation is None:
            replayed[cell.id] = Replayed(before, before)
            continue
        finding = classify(observation)
        if cell.role is Role.CONTROL:
            controls[cell.cluster] = ControlVerdict(finding.builds, finding.class_ or "")
        after = _judge(cell, observation, finding, before, claims, controls.get(cell.cluster))
        replayed[cell.id] = Replayed(before, after)
    return tuple(replayed[cell.id] for cell in plan)


def _judge(
    cell: Cell,
    observation: Observation,
    finding: Finding,
    before: Result,
    claims: Sequence[Claim],
    control: ControlVerdict | None,
) -> Result:
    resolution = resolve(claims, cell, conditions_of(observation.node_facts))
    return result(
        cell,
        finding,
        resolution,
        judge(finding, cell, resolution, control=control, unenforced=observation.unenforced),
        provenance=before.provenance,
        seconds=before.seconds,
        stages=observation.stages,
        tries=before.tries,
    ).model_copy(update={"probes": probes.judge_all(observation, cell, claims)})
