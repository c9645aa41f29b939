from __future__ import annotations

from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import xmlschema

from clusters.paths import CHECKOUT
from conformance.artifacts import RunFolder
from conformance.model import Evidence, Outcome, ProbeResult, Run, Stage, StageReport, StageStatus
from conformance.report import write_reports
from conformance.report.junit import render
from tests.conformance.records import cell, control, failure, result

RUN = Run(run_id="20261121-0412-ab3f", started="2026-11-21T04:12:00Z")
HOSTILE = "\x1b[31m]]></system-out><failure/>&amp;\x00\x08\ud800\ufffe\x9b \U0001f600 é"


@cache
def schema() -> xmlschema.XMLSchema:
    """Return the schema of Jenkins' xUnit plugin, as pytest's source distribution carries it (MIT)."""
    return xmlschema.XMLSchema(str(CHECKOUT / "tests" / "data" / "junit" / "junit-10.xsd"))


def read(text: str) -> ET.Element:
    schema().validate(text)
    return ET.fromstring(text)  # noqa: S314 - it is our own


def properties(root: ET.Element) -> dict[str, str]:
    return {each.attrib["name"]: each.attrib["value"] for each in root.iter("property")}


@pytest.mark.parametrize(
    ("outcome", "element"),
    [
        (Outcome.AS_CLAIMED, None),
        (Outcome.UNEXPECTED_SUPPORT, "failure"),
        (Outcome.UNEXPECTED_FAILURE, "failure"),
        (Outcome.WRONG_CLASS, "failure"),
        (Outcome.INCONCLUSIVE, "error"),
        (Outcome.NOT_RUN, "error"),
        (Outcome.UNCLAIMED, "skipped"),
    ],
)
def test_only_what_is_as_claimed_passes(outcome: Outcome, element: str | None) -> None:
    root = read(render([result(outcome=outcome, reason="why")], RUN))
    case = root.find("testsuite/testcase")
    assert case is not None
    assert [each.tag for each in case if each.tag != "system-out"] == ([element] if element else [])
    counts = {name: root.attrib[name] for name in ("tests", "failures", "errors")}
    assert counts == {"tests": "1", "failures": str(int(element == "failure")), "errors": str(int(element == "error"))}
    if element:
        told = case.find(element)
        assert told is not None
        assert told.attrib["type"] == outcome
        assert "why" in told.attrib["message"]


def test_a_cell_that_no_machine_must_host_is_skipped_and_one_that_must_run_is_an_error() -> None:
    root = read(render([result(outcome=Outcome.NOT_RUN, optional=True)], RUN))
    assert root.find("testsuite/testcase/skipped") is not None
    assert root.find("testsuite/testcase/error") is None


@pytest.mark.parametrize(("class_", "element"), [(None, False), ("oom-killed", True)])
def test_a_control_that_does_not_build_is_an_error(class_: str | None, element: bool) -> None:  # noqa: FBT001
    root = read(render([result(control(), class_=class_)], RUN))
    assert (root.find("testsuite/testcase/error") is not None) is element


def test_outcome_class_stage_tries_and_provenance_are_properties() -> None:
    found = failure()
    line = result(class_=found.class_, layer=found.layer, kind=found.kind, stage=Stage.START, tries=("oom-killed", "x"))
    said = properties(read(render([line], RUN)))
    assert said["outcome"] == "as-claimed"
    assert (said["class"], said["layer"], said["kind"]) == ("rootlesskit-clone-eperm", "rootlesskit", "U")
    assert (said["stage"], said["tries"], said["provenance"]) == ("start", "oom-killed, x", "genuine")
    assert (said["cluster"], said["level"], said["builder"]) == ("embedded-1.35", "baseline@latest", "rootless-unset")


def test_stages_and_evidence_with_its_lines_are_in_the_output() -> None:
    stages = (StageReport(stage=Stage.START, status=StageStatus.FAILED, seconds=1.25, detail="crashed"),)
    line = result(stages=stages, evidence=failure().evidence)
    root = read(render([line], RUN, lambda _, evidence: [(evidence.line - 1, "before"), (evidence.line, "cited")]))
    said = root.findtext("testsuite/testcase/system-out") or ""
    assert "start: failed (1.2 s): crashed" in said
    assert "evidence: cells/embedded-1.35-baseline-rootless-unset/logs/buildkitd.log:3: fork/exec" in said
    assert "    2: before\n  > 3: cited" in said


def test_a_hostile_text_stays_text() -> None:
    line = result(
        outcome=Outcome.WRONG_CLASS,
        reason=HOSTILE,
        remarks=(HOSTILE,),
        tries=(HOSTILE,),
        evidence=(Evidence(file="a", line=1, text=HOSTILE),),
        stages=(StageReport(stage=Stage.START, status=StageStatus.FAILED, seconds=1, detail=HOSTILE),),
    )
    text = render([line], RUN, lambda *_: [(1, HOSTILE)])
    root = read(text)
    case = root.find("testsuite/testcase")
    assert case is not None
    assert [each.tag for each in case] == ["failure", "system-out"]
    shown = "[U+001B][31m]]></system-out><failure/>&amp;[U+0000][U+0008][U+D800][U+FFFE][U+009B] \U0001f600 é"
    assert shown in (case.findtext("system-out") or "")
    assert shown in case[0].attrib["message"]
    text.encode("utf-8")


def test_suites_keep_the_plans_order_and_two_renders_are_alike() -> None:
    lines = [result(control()), result(cell(level="restricted")), result()]
    root = read(render(lines, RUN))
    assert [each.attrib["name"] for each in root] == [line.cell for line in lines]
    assert render(lines, RUN) == render(list(lines), RUN.model_copy())


def test_a_class_name_has_one_dot() -> None:
    case = read(render([result(cell(level="baseline@v1.34"))], RUN)).find("testsuite/testcase")
    assert case is not None
    assert case.attrib["classname"] == "embedded-1_35.baseline@v1_34"


def test_every_run_has_it_in_its_folder(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path)
    folder.write_plan([control(), cell()])
    folder.append_result(result(evidence=failure().evidence))
    (folder.cell(cell().id) / "logs").mkdir(parents=True)
    (folder.cell(cell().id) / "logs" / "buildkitd.log").write_text(f"one\ntwo{HOSTILE[:5]}\nthree\nfour\n")
    assert "junit.xml" in {path.name for path in write_reports(folder)}
    root = read((folder.path / "junit.xml").read_text(encoding="utf-8"))
    assert len(root) == 2
    assert "  > 3: three" in (root.findtext("testsuite[2]/testcase/system-out") or "")


@pytest.mark.parametrize(
    ("outcome", "element"),
    [
        (Outcome.AS_CLAIMED, None),
        (Outcome.WRONG_CLASS, "failure"),
        (Outcome.INCONCLUSIVE, "error"),
        (Outcome.NOT_RUN, "skipped"),
    ],
)
def test_each_probe_is_a_case_of_its_cells_suite(outcome: Outcome, element: str | None) -> None:
    probe = ProbeResult(probe="gc", outcome=outcome, found="keeps-all", claim="holds", detail="12 layers \x1b")
    root = read(render([result(probes=(probe,))], RUN))
    _, case = root.findall("testsuite/testcase")
    assert case.attrib["name"].endswith(" probe gc")
    assert [each.tag for each in case if each.tag != "system-out"] == ([element] if element else [])
    assert (root[0].attrib["tests"], root.attrib["failures"]) == ("2", str(int(element == "failure")))
