from __future__ import annotations

from pathlib import Path

import pytest

from clusters.provider import Provenance
from conformance.artifacts import RunFolder
from conformance.claims import conditions_of, resolve
from conformance.errors import UsageError
from conformance.judge import ControlVerdict, judge, result
from conformance.model import (
    Cell,
    Finding,
    LookStatus,
    NodeFacts,
    Observation,
    Outcome,
    ProbeObservation,
    ProbeResult,
    Source,
    SourceKind,
    Stage,
    StageReport,
    StageStatus,
)
from conformance.replay import replay
from tests.conformance.probes.facts import GOOD
from tests.conformance.records import BUILDS, cell, claim, control, failure

NODE = NodeFacts(seccomp_default=False, apparmor=False)
CLAIMS = [
    claim(conditions={"seccomp_default": False}),
    claim("rootlesskit-clone-eperm", levels=("restricted",)),
    claim(builder="full", levels=("privileged",)),
]


def classify(observation: Observation) -> Finding:
    """Judge by a text, as rules do."""
    text = "".join(source.text for source in observation.sources)
    return failure("rootlesskit-clone-eperm") if "not permitted" in text else BUILDS


def observation(of: Cell, text: str) -> Observation:
    return Observation(
        cell=of.id,
        stages=(StageReport(stage=Stage.START, status=StageStatus.PASSED, seconds=1),),
        sources=(Source(file="logs/buildkitd.log", kind=SourceKind.DAEMON, text=text),),
        node_facts=NODE,
    )


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """Return a run of three cells that ended as claimed, and one that never ran."""
    made = RunFolder.create(tmp_path)
    cells = [cell(), cell(level="restricted"), control(), cell("b")]
    made.write_plan(cells)
    for one, text in zip(cells, ["fine", "fork/exec: operation not permitted", "fine"], strict=False):
        seen = made.write_observation(one.id, observation(one, text))
        resolution = resolve(CLAIMS, one, conditions_of(NODE))
        judged = judge(classify(seen), one, resolution, control=ControlVerdict(builds=True))
        line = result(
            one,
            classify(seen),
            resolution,
            judged,
            provenance=Provenance.STAND_IN,
            seconds=3.5,
            stages=seen.stages,
            tries=("disk-full",),
        )
        made.append_result(line)
    return made


def test_unchanged_rules_give_identical_results(folder: RunFolder) -> None:
    replayed = replay(folder, classify, CLAIMS)
    assert [each.after for each in replayed] == list(folder.complete_results())
    assert not any(each.changed for each in replayed)
    assert [each.after.outcome for each in replayed[:3]] == [Outcome.AS_CLAIMED] * 3


def test_another_rule_changes_only_the_cells_it_is_about(folder: RunFolder) -> None:
    def other(seen: Observation) -> Finding:
        found = classify(seen)
        return found if found.builds else failure("rootlesskit-clone-eacces")

    changed = [each for each in replay(folder, other, CLAIMS) if each.changed]
    assert [each.after.cell for each in changed] == [cell(level="restricted").id]
    assert changed[0].before.outcome is Outcome.AS_CLAIMED
    assert (changed[0].after.outcome, changed[0].after.class_) == (Outcome.WRONG_CLASS, "rootlesskit-clone-eacces")


def test_other_evidence_for_the_same_class_is_a_change(folder: RunFolder) -> None:
    def other(seen: Observation) -> Finding:
        found = classify(seen)
        return found if found.builds else failure(found.class_ or "", evidence=())

    assert sum(each.changed for each in replay(folder, other, CLAIMS)) == 1


def test_another_claim_changes_the_outcome(folder: RunFolder) -> None:
    claims = [claim("psa-baseline-violation"), *CLAIMS[1:]]
    changed = [each for each in replay(folder, classify, claims) if each.changed]
    assert [each.after.outcome for each in changed] == [Outcome.UNEXPECTED_SUPPORT]


def test_the_control_is_judged_first_wherever_the_plan_has_it(folder: RunFolder) -> None:
    folder.write_observation(control().id, observation(control(), "fork/exec: operation not permitted"))
    outcomes = {each.after.cell: each.after.outcome for each in replay(folder, classify, CLAIMS)}
    assert outcomes[cell(level="restricted").id] is Outcome.INCONCLUSIVE
    assert outcomes[cell().id] is Outcome.AS_CLAIMED
    assert outcomes[control().id] is Outcome.UNEXPECTED_FAILURE


def test_the_nodes_facts_come_from_the_artefacts(folder: RunFolder) -> None:
    seen = observation(cell(), "fine").model_copy(update={"node_facts": NodeFacts()})
    folder.write_observation(cell().id, seen)
    after = {each.after.cell: each.after for each in replay(folder, classify, CLAIMS)}[cell().id]
    assert after.outcome is Outcome.UNCLAIMED
    assert "seccomp_default is not known" in after.reason


def test_a_cell_of_which_nothing_was_seen_keeps_its_result(folder: RunFolder) -> None:
    (missing,) = [each for each in replay(folder, classify, CLAIMS) if each.after.cell == cell("b").id]
    assert not missing.changed
    assert (missing.after.outcome, missing.after.reason) == (Outcome.NOT_RUN, "interrupted")


def test_what_rules_do_not_decide_stays(folder: RunFolder) -> None:
    after = replay(folder, classify, CLAIMS)[0].after
    assert (after.provenance, after.seconds, after.tries) == (Provenance.STAND_IN, 3.5, ("disk-full",))


def test_nothing_is_written(folder: RunFolder) -> None:
    before = {path: path.read_bytes() for path in folder.path.rglob("*") if path.is_file()}
    replay(folder, lambda _: BUILDS, [])
    assert {path: path.read_bytes() for path in folder.path.rglob("*") if path.is_file()} == before


def test_damage_is_told(folder: RunFolder) -> None:
    (folder.cell(cell().id) / "observation.json").write_text("{")
    with pytest.raises(UsageError, match=r"observation\.json: is damaged"):
        replay(folder, classify, CLAIMS)


def test_a_probe_is_judged_again_from_the_facts_that_were_kept(folder: RunFolder) -> None:
    """The run wrote that it holds; its facts say that the daemon was started anew."""
    facts = {**GOOD["kill"], "daemon_restarted": True}
    look = ProbeObservation(probe="kill", status=LookStatus.LOOKED, facts=facts, seconds=2)
    before = next(line for line in folder.read_results() if line.cell == cell().id)
    held = ProbeResult(probe="kill", outcome=Outcome.AS_CLAIMED, found="holds", claim="holds", seconds=2)
    folder.write_observation(cell().id, observation(cell(), "fine").model_copy(update={"probes": (look,)}))
    folder.append_result(before.model_copy(update={"probes": (held,)}))
    claims = [*CLAIMS, claim("step-can-kill-daemon", probe="kill")]
    (changed,) = [each for each in replay(folder, classify, claims) if each.changed]
    (probe,) = changed.after.probes
    assert (probe.found, probe.outcome, probe.seconds) == ("step-can-kill-daemon", Outcome.AS_CLAIMED, 2)
    assert changed.after.outcome is Outcome.AS_CLAIMED
