"""The report as JUnit XML, as Jenkins, GitLab and others read it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final
from xml.etree import ElementTree as ET

from conformance.model import Evidence, Outcome, Result, Role, Run
from conformance.report import summary

#: The lines around a cited line, numbered.
Around = Callable[[str, Evidence], Sequence[tuple[int, str]]]

#: What XML 1.0 cannot hold, not even escaped (https://www.w3.org/TR/xml/#charsets), and the escape of terminals' codes.
_UNFIT: Final = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\x7f-\x9f]")


def render(results: Sequence[Result], run: Run, around: Around | None = None) -> str:
    """Return one suite a cell, with one case: the schema that Jenkins reads has properties of suites alone.

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
    seconds = f"{result.seconds:.2f}"
    verdict = _verdict(result)
    suite = ET.Element(
        "testsuite",
        name=_fit(result.cell),
        tests="1",
        failures=str(int(verdict == "failure")),
        errors=str(int(verdict == "error")),
        skipped=str(int(verdict == "skipped")),
        time=seconds,
    )
    if run.started:
        suite.set("timestamp", _fit(run.started.removesuffix("Z")))
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(result):
        ET.SubElement(properties, "property", name=name, value=_fit(value))
    # Readers cut a class name at its last dot: there must be none inside cluster and level.
    where = ".".join(part.replace(".", "_") for part in (result.cluster, result.level))
    case = ET.SubElement(suite, "testcase", classname=_fit(where), name=_fit(result.cell), time=seconds)
    if verdict:
        ET.SubElement(case, verdict, type=str(result.outcome), message=_fit(_message(result))).text = _fit(
            "\n".join(summary.evidence(result))
        )
    ET.SubElement(case, "system-out").text = _fit("\n".join(_said(result, around)))
    return suite


def _verdict(result: Result) -> str:
    """Return the element that says how a case ended; empty: it passed."""
    if result.role is Role.CONTROL:
        return "" if result.class_ is None and result.outcome is not Outcome.NOT_RUN else "error"
    match result.outcome:
        case Outcome.AS_CLAIMED:
            return ""
        case Outcome.UNEXPECTED_FAILURE | Outcome.UNEXPECTED_SUPPORT | Outcome.WRONG_CLASS:
            return "failure"
        case Outcome.UNCLAIMED:
            return "skipped"
        case Outcome.NOT_RUN:
            return "skipped" if result.optional else "error"
        case Outcome.INCONCLUSIVE:
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
