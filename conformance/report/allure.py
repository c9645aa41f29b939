"""The report as Allure results, in the records of allure-pytest's own library.

Formats: https://allurereport.org/docs/how-it-works-test-result-file/ and .../how-it-works-categories-file/.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import attr
from allure_commons.model2 import (
    ATTACHMENT_PATTERN,
    Attachment,
    Label,
    Parameter,
    Status,
    StatusDetails,
    TestResult,
    TestStepResult,
)

from conformance.artifacts import RunFolder
from conformance.classify import CLASSES
from conformance.model import Outcome, Result, Role, Run, StageStatus
from conformance.report import summary
from conformance.report.html.evidence import around
from conformance.report.html.inert import visible
from conformance.report.html.trust import facts

#: What Allure's page sorts results by: how their message begins. A broken claim is also under its kind of verdict.
CATEGORIES: Final[Mapping[str, str]] = {
    "Claims broken": r"broken claim: ",
    "Inconclusive: proves nothing": r"inconclusive: ",
    "Did not run": r"not-run: ",
    "Unclaimed": r"unclaimed: ",
    "Refused by policy or kernel": r".*\[U\]",
    "Refused by a node prerequisite": r".*\[N\]",
    "Refused by a defect of chart or image": r".*\[C\]",
    "Refused for bad input": r".*\[X\]",
    "Infrastructure failed": r".*\[I\]",
    "A symptom without its cause": r".*\[S\]",
    "Noise": r".*\[W\]",
    "A failure that no rule knows": r".*\[\?\]",
}

_STATUS: Final = {
    Outcome.AS_CLAIMED: Status.PASSED,
    Outcome.UNEXPECTED_SUPPORT: Status.FAILED,
    Outcome.UNEXPECTED_FAILURE: Status.FAILED,
    Outcome.WRONG_CLASS: Status.FAILED,
    Outcome.INCONCLUSIVE: Status.BROKEN,
    Outcome.NOT_RUN: Status.SKIPPED,
    Outcome.UNCLAIMED: Status.SKIPPED,
}
_STEP: Final = {
    StageStatus.PASSED: Status.PASSED,
    StageStatus.FAILED: Status.FAILED,
    StageStatus.NOT_RUN: Status.SKIPPED,
}


def write(folder: RunFolder, into: Path) -> tuple[Path, ...]:
    """Write a run's results for Allure into a folder and return the files: the same run gives the same bytes.

    Every name derives from the run and the cell, so that writing a run again replaces what it wrote before.
    """
    into.mkdir(parents=True, exist_ok=True)
    run = folder.read_run()
    written = []
    for result in folder.complete_results():
        attachments = _attachments(folder, run, result)
        for attachment, text in attachments:
            written.append(_put(into / attachment.source, text))
        item = _item(result, run, [attachment for attachment, _ in attachments])
        written.append(_put(into / item.file_pattern.format(prefix=item.uuid), _json(item)))
    written.append(_put(into / "categories.json", json.dumps(categories(), indent=1) + "\n"))
    written.append(_put(into / "environment.properties", "".join(_environment(run))))
    return tuple(written)


def categories() -> list[dict[str, Any]]:
    """Return the kinds of verdict as Allure's page has them; it compares a whole message with each expression."""
    statuses = [Status.FAILED, Status.BROKEN, Status.SKIPPED, Status.PASSED]
    return [
        {"name": name, "matchedStatuses": statuses, "messageRegex": f"{start}.*"} for name, start in CATEGORIES.items()
    ]


def message(result: Result) -> str:
    """Return the line that categories are told apart by; empty for a cell that builds as claimed."""
    kind = result.kind or ("?" if result.class_ else "")
    seen = f"[{kind}] {result.class_}" if result.class_ else summary.seen(result)
    at = f" at {result.stage}" if result.stage else ""
    why = f": {result.reason}" if result.reason else ""
    probes = ", ".join(f"{each.probe} {each.found}" for each in result.probes if each.outcome.breaks_claim)
    if probes and not result.outcome.breaks_claim:
        return f"broken claim: probes: {probes}"
    match result.outcome:
        case Outcome.AS_CLAIMED:
            return f"as claimed: {seen}{at}" if result.class_ else ""
        case Outcome.UNEXPECTED_FAILURE | Outcome.UNEXPECTED_SUPPORT | Outcome.WRONG_CLASS:
            return f"broken claim: {result.outcome}: {seen}{at}, claimed {summary.claimed(result)}{why}"
        case Outcome.INCONCLUSIVE | Outcome.NOT_RUN | Outcome.UNCLAIMED:
            return f"{result.outcome}: {seen}{at}{why}"


def _item(result: Result, run: Run, attachments: list[Attachment]) -> TestResult:
    start = _milliseconds(run.started)
    item = TestResult(
        uuid=_uuid(run, result, "result"),
        # The same cell of every run, so that Allure shows its history.
        historyId=hashlib.md5(f"{run.chart.name} {result.cell}".encode(), usedforsecurity=False).hexdigest(),
        testCaseId=hashlib.md5(result.cell.encode(), usedforsecurity=False).hexdigest(),
        name=result.cell,
        fullName=f"{result.cluster}.{result.level}#{result.builder}",
        titlePath=[result.cluster, result.level],
        stage="finished",
        start=start,
        stop=start + round(result.seconds * 1000),
        labels=[Label(name=name, value=visible(value)) for name, value in _labels(result)],
        parameters=[Parameter(name=name, value=value) for name, value in _parameters(result)],
        steps=list(_steps(result, start)),
        attachments=attachments,
    )
    item.status = Status.BROKEN if result.role is Role.CONTROL and result.class_ else _STATUS[result.outcome]
    if result.breaks_claim:
        item.status = Status.FAILED
    text = visible(message(result))
    if text or result.evidence or result.tries:
        trace = "\n".join(visible(line) for line in (*summary.evidence(result), *_remedy(result)))
        item.statusDetails = StatusDetails(message=text or None, trace=trace or None, flaky=bool(result.tries) or None)
    return item


def _labels(result: Result) -> Iterator[tuple[str, str]]:
    # Allure's own trees: suites, and behaviours.
    yield "parentSuite", result.cluster
    yield "suite", result.level
    yield "epic", result.cluster
    yield "feature", result.level
    yield "story", result.builder
    yield "cluster", result.cluster
    yield "level", result.level
    yield "builder", result.builder
    yield "provenance", result.provenance
    yield "outcome", result.outcome
    yield "framework", "build-conformance"
    yield "language", "python"
    if result.role is Role.CONTROL:
        yield "tag", "control"
    if result.class_:
        yield "tag", result.class_
    if result.layer:
        yield "refused-by", result.layer
    for former in result.tries:
        yield "earlier-try", former


def _parameters(result: Result) -> Iterator[tuple[str, str]]:
    yield "builder", result.builder
    yield "cluster", result.cluster
    yield "level", result.level


def _steps(result: Result, start: int) -> Iterator[TestStepResult]:
    for stage in result.stages:
        stop = start + round(stage.seconds * 1000)
        step = TestStepResult(
            name=stage.stage.value, status=_STEP[stage.status], stage="finished", start=start, stop=stop
        )
        if stage.detail:
            step.statusDetails = StatusDetails(message=visible(stage.detail))
        yield step
        start = stop
    for probe in result.probes:
        stop = start + round(probe.seconds * 1000)
        said = visible(f"{probe.outcome}: {probe.found or 'not run'}. {probe.detail} {probe.reason}".strip())
        step = TestStepResult(name=f"probe {probe.probe}", stage="finished", start=start, stop=stop)
        step.status = _STATUS[probe.outcome]
        step.statusDetails = StatusDetails(message=said)
        yield step
        start = stop


def _remedy(result: Result) -> Iterator[str]:
    if result.class_ in CLASSES:
        yield f"remedy: {CLASSES[result.class_].remedy}"


def _attachments(folder: RunFolder, run: Run, result: Result) -> list[tuple[Attachment, str]]:
    """Return each piece of evidence with the lines around it, as a text."""
    found = []
    for number, evidence in enumerate(result.evidence):
        lines = around(folder, result.cell, evidence) or [(evidence.line, evidence.text)]
        text = "".join(f"{'>' if line == evidence.line else ' '} {line:6}  {visible(said)}\n" for line, said in lines)
        source = ATTACHMENT_PATTERN.format(prefix=_uuid(run, result, f"evidence {number}"), ext="txt")
        name = f"{evidence.file}:{evidence.line}" if evidence.line else evidence.file
        found.append((Attachment(name=visible(name), source=source, type="text/plain"), text))
    return found


def _environment(run: Run) -> Iterator[str]:
    for name, value in facts(run):
        key = visible(name).replace(" ", "_").replace(":", "").replace("=", "_")
        yield f"{key}={' '.join(visible(value).split())}\n".replace("\\", "\\\\")


def _uuid(run: Run, result: Result, what: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"build-conformance/{run.run_id}/{result.cell}/{what}"))


def _milliseconds(started: str) -> int:
    """Return a time as Allure counts it, since 1970; 0 for a run that did not come to write it down."""
    try:
        return round(datetime.fromisoformat(started).timestamp() * 1000)
    except ValueError:
        return 0


def _json(item: TestResult) -> str:
    # As allure-pytest writes it: what is empty is left out.
    content = attr.asdict(item, filter=lambda _, value: value is not None and value != [])
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def _put(path: Path, text: str) -> Path:
    draft = path.with_name(f".{path.name}.new")
    draft.write_bytes(text.encode("utf-8", "backslashreplace"))
    draft.replace(path)
    return path
