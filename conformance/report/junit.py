"""The report as JUnit XML, as Jenkins, GitLab and others read it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final
from xml.etree import ElementTree as ET

from conformance.model import Evidence, Outcome, ProbeResult, Result, Role, Run
from conformance.report import summary

#: The lines around a cited line, numbered.
Around = Callable[[str, Evidence], Sequence[tuple[int, str]]]

#: What XML 1.0 cannot hold, not even escaped (https://www.w3.org/TR/xml/#charsets), and the escape of terminals' codes.
_UNFIT: Final = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\x7f-\x9f]")


def render(results: Sequence[Result], run: Run, around: Around | None = None) -> str:
    """Return a suite a cell, as the schema that Jenkins reads has properties of suites alone; a probe is a case more.

    A broken claim is a failure; what is inconclusive, or should have run and did not, is an error; what is unclaimed or
    could not run here is skipped: neither is a pass. `around` adds the lines around cited ones.
    """
    suites = [_suite(result, run, around) for result in results]
    root = ET.Element("testsuites", name=_fit(f"build conformance, run {run.run_id}"))
    root.extend(suites)
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in suites)))
    root.set("time", f"{sum(result.seconds for result in results):.2f}")
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _suite(result: Result, run: Run, around: Around | None) -> ET.Element:
    # Readers cut a class name at its last dot: there must be none inside cluster and level.
    where = _fit(".".join(part.replace(".", "_") for part in (result.cluster, result.level)))
    cases = [_case(result, where, around), *(_probe(result, probe, where) for probe in result.probes)]
    counts = {name: sum(case.find(name) is not None for case in cases) for name in ("failure", "error", "skipped")}
    suite = ET.Element(
        "testsuite",
        name=_fit(result.cell),
        tests=str(len(cases)),
        failures=str(counts["failure"]),
        errors=str(counts["error"]),
        skipped=str(counts["skipped"]),
        time=f"{result.seconds:.2f}",
    )
    if run.started:
        suite.set("timestamp", _fit(run.started.removesuffix("Z")))
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(result):
        ET.SubElement(properties, "property", name=name, value=_fit(value))
    suite.extend(cases)
    return suite


def _case(result: Result, where: str, around: Around | None) -> ET.Element:
    case = ET.Element("testcase", classname=where, name=_fit(result.cell), time=f"{result.seconds:.2f}")
    if verdict := _verdict(result):
        ET.SubElement(case, verdict, type=str(result.outcome), message=_fit(_message(result))).text = _fit(
            "\n".join(summary.evidence(result))
        )
    ET.SubElement(case, "system-out").text = _fit("\n".join(_said(result, around)))
    return case


def _probe(result: Result, probe: ProbeResult, where: str) -> ET.Element:
    name = _fit(f"{result.cell} probe {probe.probe}")
    case = ET.Element("testcase", classname=where, name=name, time=f"{probe.seconds:.2f}")
    # A probe that cannot look, as the cluster or the tool lacks what it needs, is no hole in the run.
    if verdict := "skipped" if probe.outcome is Outcome.NOT_RUN else _ending(probe.outcome):
        told = (
            f"{probe.outcome}: {probe.found or 'not run'}, claimed: {probe.claim or 'nothing'}. {probe.reason}".strip()
        )
        ET.SubElement(case, verdict, type=str(probe.outcome), message=_fit(told)).text = _fit(probe.detail)
    ET.SubElement(case, "system-out").text = _fit(
        "\n".join((probe.detail, *(f"evidence: {each.file}: {each.text}" for each in probe.evidence)))
    )
    return case


def _verdict(result: Result) -> str:
    """Return the element that says how a case ended; empty: it passed."""
    if result.role is Role.CONTROL:
        return "" if result.class_ is None and result.outcome is not Outcome.NOT_RUN else "error"
    return "skipped" if result.optional and result.outcome is Outcome.NOT_RUN else _ending(result.outcome)


def _ending(outcome: Outcome) -> str:
    match outcome:
        case Outcome.AS_CLAIMED:
            return ""
        case Outcome.UNEXPECTED_FAILURE | Outcome.UNEXPECTED_SUPPORT | Outcome.WRONG_CLASS:
            return "failure"
        case Outcome.UNCLAIMED:
            return "skipped"
        case Outcome.NOT_RUN | Outcome.INCONCLUSIVE:
            return "error"


def _message(result: Result) -> str:
    what = f"{result.outcome}: {summary.seen(result)}, claimed: {summary.claimed(result)}"
    return f"{what}. {result.reason}" if result.reason else what


def _properties(result: Result) -> Iterator[tuple[str, str]]:
    yield "cluster", result.cluster
    yield "kubernetes", result.kubernetes
    yield "level", result.level
    yield "builder", result.builder
    yield "role", result.role
    yield "provenance", result.provenance
    yield "outcome", result.outcome
    yield "class", result.class_ or ""
    yield "layer", result.layer or ""
    yield "kind", result.kind or ""
    yield "stage", result.stage or ""
    yield "claim", result.claim or ""
    yield "claim-source", result.claim_source
    yield "tries", ", ".join(result.tries)
    for candidate in result.candidates:
        yield "candidate", candidate


def _said(result: Result, around: Around | None) -> Iterator[str]:
    """Yield the stages, each with what was seen, then the evidence with the lines around it."""
    for stage in result.stages:
        yield f"{stage.stage}: {stage.status} ({stage.seconds:.1f} s){f': {stage.detail}' if stage.detail else ''}"
    for remark in result.remarks:
        yield f"remark: {remark}"
    for evidence, line in zip(result.evidence, summary.evidence(result), strict=True):
        yield f"evidence: {line}"
        for number, text in around(result.cell, evidence) if around is not None else ():
            yield f"  {'>' if number == evidence.line else ' '} {number}: {text}"


def _fit(text: str) -> str:
    """Return a text with everything that XML cannot hold, or a terminal would obey, shown by its number."""
    return _UNFIT.sub(lambda match: f"[U+{ord(match[0]):04X}]", text)
