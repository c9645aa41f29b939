"""Compare two runs: which verdicts changed, and what changed with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from conformance.artifacts import RunFolder
from conformance.model import Cell, Observation, Result, Run
from conformance.replay import verdict


class Axis(StrEnum):
    """Something that may explain another verdict."""

    CHART = "chart"
    BUILDER = "builder settings"
    BUILDER_IMAGE = "builder image"
    KUBERNETES = "kubernetes"
    POLICY = "policy"
    NODE_IMAGE = "node image"
    KERNEL = "kernel"
    NODE = "node conditions"
    CLAIMS = "claims"
    RULES = "rules"
    HARNESS = "harness"


@dataclass(frozen=True, kw_only=True, slots=True)
class Shift:
    """An axis on which two runs, or a cell of two runs, differ."""

    axis: Axis
    before: str
    after: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """A cell whose verdict changed, and the axes that changed with it; none: it may be flaky."""

    before: Result
    after: Result
    shifts: tuple[Shift, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """What differs between two runs."""

    changes: tuple[Change, ...]
    #: Every axis that differs anywhere, with the cells it differs for.
    shifts: Mapping[Shift, int]
    #: Cells that only one of the runs planned.
    gone: tuple[str, ...]
    appeared: tuple[str, ...]
    #: How many cells both runs have.
    compared: int


#: Of a fact that a run did not keep.
UNKNOWN: Final = "unknown"


def diff(one: RunFolder, other: RunFolder) -> Difference:
    """Compare the cells that two runs have in common. Raises UsageError when an artefact is damaged."""
    pairs, gone, appeared = _pair(one.read_plan(), other.read_plan())
    before = {line.cell: line for line in one.complete_results()}
    after = {line.cell: line for line in other.complete_results()}
    old_run, new_run = one.read_run(), other.read_run()
    runs = _shifts(_of_run(old_run), _of_run(new_run))
    changes = []
    counted: dict[Shift, int] = dict.fromkeys(runs, len(pairs))
    for old, new in pairs:
        was, now = before[old.id], after[new.id]
        facts = _of_cell(old, was), _of_cell(new, now)
        seen = one.read_observation(old.id, texts=False), other.read_observation(new.id, texts=False)
        if seen[0] is not None and seen[1] is not None:
            # Only what was looked at on both sides can be compared.
            facts = facts[0] | _of_observation(seen[0], old_run), facts[1] | _of_observation(seen[1], new_run)
        shifts = _shifts(*facts)
        for shift in shifts:
            counted[shift] = counted.get(shift, 0) + 1
        if verdict(was)[:2] != verdict(now)[:2]:
            changes.append(Change(before=was, after=now, shifts=(*shifts, *runs)))
    order = {axis: index for index, axis in enumerate(Axis)}
    return Difference(
        changes=tuple(changes),
        shifts=dict(sorted(counted.items(), key=lambda item: (order[item[0].axis], item[0].before, item[0].after))),
        gone=gone,
        appeared=appeared,
        compared=len(pairs),
    )


def _pair(
    one: Iterable[Cell], other: Iterable[Cell]
) -> tuple[tuple[tuple[Cell, Cell], ...], tuple[str, ...], tuple[str, ...]]:
    """Pair cells by id; what is left by everything but the Kubernetes line, where that is unambiguous."""
    old, new = {cell.id: cell for cell in one}, {cell.id: cell for cell in other}
    pairs = [(old.pop(name), new.pop(name)) for name in list(old) if name in new]
    by_rest: dict[tuple[object, ...], tuple[list[Cell], list[Cell]]] = {}
    for side, cells in enumerate((old, new)):
        for cell in cells.values():
            key = (cell.provider, str(cell.level), cell.builder.name, cell.role)
            by_rest.setdefault(key, ([], []))[side].append(cell)
    for lefts, rights in by_rest.values():
        if len(lefts) == len(rights) == 1:
            pairs.append((old.pop(lefts[0].id), new.pop(rights[0].id)))
    return tuple(pairs), tuple(old), tuple(new)


def _of_run(run: Run) -> dict[Axis, str]:
    commit = f"{run.git_commit}{' with local changes' if run.git_dirty else ''}"
    return {Axis.RULES: run.rules, Axis.HARNESS: f"{run.harness} {commit}".strip()}


def _of_cell(cell: Cell, result: Result) -> dict[Axis, str]:
    return {
        Axis.BUILDER: cell.builder.model_dump_json(exclude={"summary", "origin"}),
        Axis.CLAIMS: result.claim or "nothing",
        Axis.KUBERNETES: cell.kubernetes,
        Axis.POLICY: str(cell.level),
    }


def _of_observation(observation: Observation, run: Run) -> dict[Axis, str]:
    versions, node = observation.versions, observation.node_facts
    conditions = {
        "seccompDefault": node.seccomp_default,
        "AppArmor": node.apparmor,
        "idsPerPod": node.ids_per_pod,
        "cgroup": node.cgroup_version,
        **node.sysctls,
    }
    return {
        Axis.CHART: f"{versions.chart} {run.chart.digest}".strip(),
        Axis.BUILDER_IMAGE: f"{versions.builder_image} {versions.builder_image_digest}".strip(),
        Axis.KUBERNETES: versions.kubernetes,
        Axis.POLICY: versions.policy,
        Axis.NODE_IMAGE: " ".join(filter(None, (node.os, node.container_runtime, node.kubelet))),
        Axis.KERNEL: node.kernel or "",
        Axis.NODE: ", ".join(f"{name} {value}" for name, value in conditions.items() if value is not None),
    }


def _shifts(before: Mapping[Axis, str], after: Mapping[Axis, str]) -> tuple[Shift, ...]:
    """Return the axes that differ; one that neither run kept does not, one that only one kept does."""
    return tuple(
        Shift(axis=axis, before=before.get(axis) or UNKNOWN, after=after.get(axis) or UNKNOWN)
        for axis in Axis
        if (before.get(axis) or "") != (after.get(axis) or "")
    )
