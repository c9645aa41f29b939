from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from importlib.resources import files
from pathlib import Path

import pytest

from clusters.provider import Capability
from conformance import probes
from conformance.errors import ApiError, WaitError
from conformance.model import (
    HOLDS,
    Claim,
    Facts,
    LookStatus,
    NodeFacts,
    Observation,
    Outcome,
    ProbeFinding,
    ProbeObservation,
    ProbeResult,
    SourceKind,
    Stage,
    StageReport,
    StageStatus,
)
from conformance.probes import PROBES, Probe, judge_all, look_into, page
from conformance.probes.context import CannotLookError, LookBrokeError, ProbeRun
from conformance.stages import CellRun, StageFailedError
from conformance.waiting import Timeouts
from tests.conformance.records import cell, claim
from tests.conformance.stages.conftest import cell_run, kube

__all__ = ["cell_run", "kube"]

#: Modules that are no probe.
_PARTS = {"__init__", "context", "registry", "buildkit", "lives", "limited", "git_server", "page"}


def seen(status: StageStatus = StageStatus.PASSED) -> Observation:
    return Observation(cell="x", stages=(StageReport(stage=Stage.PUSH, status=status, seconds=1),))


def probe(
    name: str, look: Callable[[ProbeRun], Facts], *, requires: frozenset[Capability] = frozenset()
) -> dict[str, Probe]:
    made = Probe(
        name=name,
        summary="s",
        findings={"bad": "b"},
        look=look,
        judge=lambda facts: ProbeFinding(found="bad" if facts["wrong"] else HOLDS),
        requires=requires,
    )
    return {name: made}


def wanting(run: CellRun, *names: str) -> CellRun:
    run.cell = run.cell.model_copy(update={"probes": names})
    return run


def raising(error: Exception) -> Callable[[ProbeRun], Facts]:
    def look(_: ProbeRun) -> Facts:
        raise error

    return look


def test_each_file_is_one_probe_and_the_table_has_each() -> None:
    stems = {Path(entry.name).stem for entry in files(probes).iterdir() if entry.name.endswith(".py")}
    assert {name.replace("-", "_") for name in PROBES} == stems - _PARTS


def test_each_probe_has_a_time_limit_of_its_own() -> None:
    limits = {field.name for field in fields(Timeouts().probes)}
    assert limits == {name.replace("-", "_") for name in PROBES}


def test_disruptive_probes_come_last() -> None:
    order = [each.disruptive for each in PROBES.values()]
    assert order == sorted(order)
    assert {name for name, each in PROBES.items() if each.disruptive} == {
        "kill",
        "restart",
        "memory-limit",
        "disk-limit",
    }


def test_the_reference_page_is_the_one_that_the_table_gives() -> None:
    told = "run `python -m conformance.probes.page`"
    assert page.PAGE.read_text(encoding="utf-8") == page.markdown(), told


def test_a_cell_whose_stages_failed_is_not_looked_at(cell_run: CellRun) -> None:
    found = look_into(wanting(cell_run, "isolation", "kill"), seen(StageStatus.FAILED))
    assert [(each.probe, each.status) for each in found.probes] == [
        ("isolation", LookStatus.NOT_RUN),
        ("kill", LookStatus.NOT_RUN),
    ]
    assert {each.reason for each in found.probes} == {"the cell's stages did not pass"}


def test_only_the_probes_of_the_cell_look_in_the_order_of_the_table(
    cell_run: CellRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    def look(run: ProbeRun) -> Facts:
        looked.append(run.name)
        return {"wrong": False}

    monkeypatch.setattr(probes, "PROBES", {**probe("gc", look), **probe("isolation", look), **probe("kill", look)})
    look_into(wanting(cell_run, "kill", "gc"), seen())
    assert looked == ["gc", "kill"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (CannotLookError("there is no daemon"), LookStatus.NOT_RUN),
        (LookBrokeError("the build before it failed"), LookStatus.BROKEN),
        (StageFailedError("the release has no pod any more"), LookStatus.BROKEN),
        (ApiError("the API server did not answer"), LookStatus.BROKEN),
        (WaitError("it did not come to pass"), LookStatus.BROKEN),
    ],
)
def test_a_look_that_cannot_be_done_or_breaks_says_why_and_the_next_probe_looks(
    cell_run: CellRun, monkeypatch: pytest.MonkeyPatch, error: Exception, status: LookStatus
) -> None:
    table = {**probe("gc", raising(error)), **probe("isolation", lambda _: {"wrong": True})}
    monkeypatch.setattr(probes, "PROBES", table)
    found = look_into(wanting(cell_run, "gc", "isolation"), seen())
    assert [each.status for each in found.probes] == [status, LookStatus.LOOKED]
    assert found.probes[0].reason == str(error)
    assert found.stages == seen().stages


def test_a_probe_does_not_run_on_a_cluster_that_lacks_what_it_needs(
    cell_run: CellRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell_run.cluster = replace(cell_run.cluster, capabilities=frozenset())
    table = probe("gc", raising(AssertionError("it looked")), requires=frozenset({Capability.VOLUMES}))
    monkeypatch.setattr(probes, "PROBES", table)
    (look,) = look_into(wanting(cell_run, "gc"), seen()).probes
    assert (look.status, look.reason) == (LookStatus.NOT_RUN, "the cluster lacks volumes")


def test_what_a_probe_notes_lies_in_its_folder_and_no_rule_reads_it(
    cell_run: CellRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(run: ProbeRun) -> Facts:
        run.note("build.txt", "fork/exec /proc/self/exe: operation not permitted")
        return {"wrong": False}

    monkeypatch.setattr(probes, "PROBES", probe("gc", look))
    (source,) = look_into(wanting(cell_run, "gc"), seen()).sources
    assert (source.file, source.kind) == ("probes/gc/build.txt", SourceKind.PROBE)


def judged(wrong: bool | None, *claims: Claim, reason: str = "") -> ProbeResult:  # noqa: FBT001 - a fact
    status = LookStatus.LOOKED if wrong is not None else LookStatus.BROKEN
    facts: Facts = {**GOOD_KILL, "daemon_restarted": bool(wrong)}
    look = ProbeObservation(probe="kill", status=status, reason=reason, facts=facts)
    observation = seen().model_copy(update={"probes": (look,), "node_facts": NodeFacts(seccomp_default=False)})
    (result,) = judge_all(observation, cell(), claims)
    return result


GOOD_KILL: Facts = {
    "built": True,
    "client_said": "",
    "step_survived": True,
    "restarts_counted": 0,
    "builds_again": True,
}
KILLS = "step-can-kill-daemon"


@pytest.mark.parametrize(
    ("wrong", "expect", "outcome"),
    [
        (False, HOLDS, Outcome.AS_CLAIMED),
        (True, KILLS, Outcome.AS_CLAIMED),
        (True, HOLDS, Outcome.UNEXPECTED_FAILURE),
        (False, KILLS, Outcome.UNEXPECTED_SUPPORT),
        (True, "daemon-stays-dead", Outcome.WRONG_CLASS),
        (True, "", Outcome.UNCLAIMED),
        (None, HOLDS, Outcome.INCONCLUSIVE),
    ],
)
def test_what_a_probe_found_is_held_against_its_claim(wrong: bool | None, expect: str, outcome: Outcome) -> None:  # noqa: FBT001
    # What is claimed of the cell's building says nothing of its probes.
    claims = [claim("rootlesskit-clone-eperm"), *([claim(expect, probe="kill")] if expect else [])]
    result = judged(wrong, *claims)
    assert result.outcome is outcome
    assert result.claim == (expect or None)


def test_a_claim_for_another_node_leaves_a_probe_unclaimed() -> None:
    result = judged(True, claim(KILLS, probe="kill", conditions={"seccomp_default": True}))
    assert result.outcome is Outcome.UNCLAIMED
    assert "seccomp_default = false" in result.reason
