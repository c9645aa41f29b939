"""Everything the page shows of one cell once it is opened, as plain data; what many cells share is kept once."""

from __future__ import annotations

import json
import marshal
from typing import Any, Final

from conformance.artifacts import OBSERVATION, RunFolder
from conformance.classify import CLASSES
from conformance.model import BuilderFacts, Cell, Observation, ProbeResult, Result, Run, VerdictKind
from conformance.report import summary
from conformance.report.html import nodes, trust
from conformance.report.html.evidence import cited, clipped
from conformance.report.html.marks import against, mark
from conformance.report.html.pods import difference

_SECCOMP: Final = {0: "none", 1: "strict", 2: "filter"}
_KINDS: Final = {
    VerdictKind.UNSUPPORTED: "unsupported by policy or kernel",
    VerdictKind.NODE_PREREQUISITE: "the node lacks something",
    VerdictKind.DEFECT: "a defect of chart or image",
    VerdictKind.BAD_INPUT: "bad input",
    VerdictKind.INFRASTRUCTURE: "infrastructure: says nothing about the builder",
    VerdictKind.SYMPTOM: "a symptom, never a verdict",
    VerdictKind.NOISE: "noise",
}

Json = dict[str, Any]


class Details:
    """Reads cells of one run; texts that come again in many cells are kept in one list and named by number."""

    def __init__(self, folder: RunFolder, run: Run) -> None:
        """Read from this folder."""
        self._folder = folder
        self._run = run
        self._cells = {cell.id: cell for cell in folder.read_plan()}
        self._numbers: dict[bytes, int] = {}
        #: By name: a plan has one builder of each.
        self._abouts: dict[str, int] = {}
        self._kept: list[Any] = []
        self._classes: dict[str, None] = {}

    def cell(self, result: Result) -> Json:
        """Return what is shown of a cell. Raises UsageError when its observation is damaged."""
        planned = self._cells.get(result.cell)
        self._classes |= dict.fromkeys(filter(None, (result.class_, result.claim, *result.candidates, *result.tries)))
        seen = mark(result)
        record: Json = {
            "cell": result.cell,
            "cluster": result.cluster,
            "level": result.level,
            "builder": result.builder,
            "role": result.role,
            "provenance": result.provenance,
            "outcome": result.outcome,
            "symbol": seen.symbol,
            "seen": seen.words,
            "style": seen.style,
            "against": against(result),
            "class": result.class_,
            "layer": result.layer,
            "kind": _KINDS[result.kind] if result.kind else None,
            "stage": result.stage,
            "claim": summary.claimed(result),
            "source": result.claim_source,
            "reason": result.reason,
            "remarks": result.remarks,
            "candidates": result.candidates,
            "tries": result.tries,
            "seconds": result.seconds,
            "stages": [(stage.stage, stage.status, stage.seconds, clipped(stage.detail)) for stage in result.stages],
            "probes": [_probe(probe) for probe in result.probes],
            "evidence": [cited(self._folder, result.cell, piece) for piece in result.evidence],
            "command": trust.rerun(planned, self._run) if planned else "",
            "about": self._about(planned),
        }
        observation = self._folder.read_observation(result.cell, texts=False)
        return record | (self._observed(observation) if observation else {})

    def shared(self) -> tuple[list[Any], Json]:
        """Return what the cells name by number, and the classes they name."""
        classes = {
            name: {
                "meaning": CLASSES[name].meaning,
                "remedy": CLASSES[name].remedy,
                "reference": CLASSES[name].reference,
            }
            for name in sorted(self._classes)
            if name in CLASSES
        }
        return self._kept, classes

    def _observed(self, observation: Observation) -> Json:
        prediction = observation.prediction
        return {
            "files": [*(source.file for source in observation.sources), OBSERVATION],
            "pod": self._keep(difference(observation.rendered_pod, observation.admitted_pod)),
            "compared": bool(observation.rendered_pod and observation.admitted_pod),
            "prediction": self._keep(prediction.model_dump()) if prediction else None,
            "facts": self._keep(_builder(observation.builder_facts)),
            "node": self._keep(_node(observation)),
            "versions": self._keep([(name, value) for name, value in observation.versions if value]),
        }

    def _about(self, cell: Cell | None) -> int:
        name = cell.builder.name if cell is not None else ""
        if name not in self._abouts:
            self._abouts[name] = self._keep(_about(cell))
        return self._abouts[name]

    def _keep(self, value: Any) -> int:  # noqa: ANN401 - whatever JSON can hold
        # Only ever compared with keys of this process; version 2 writes equal values as equal bytes, and is fast.
        key = marshal.dumps(value, 2)
        if key not in self._numbers:
            self._numbers[key] = len(self._kept)
            self._kept.append(value)
        return self._numbers[key]


def _probe(probe: ProbeResult) -> list[str]:
    """Return a row of the table of probes: name, outcome, what was found, what is claimed, and what is behind it."""
    behind = "; ".join(filter(None, (probe.detail, probe.reason, *(piece.text for piece in probe.evidence))))
    return [probe.probe, str(probe.outcome), summary.probe_seen(probe), probe.claim or "nothing", clipped(behind)]


def _about(cell: Cell | None) -> list[tuple[str, str]]:
    if cell is None:
        return []
    builder = cell.builder
    rows = [
        ("what it is", builder.summary),
        ("where it comes from", builder.origin),
        ("image", str(builder.image)),
        ("arguments", " ".join(builder.args)),
        ("container securityContext", _json(builder.security_context)),
        ("pod securityContext", _json(builder.pod_security_context)),
        ("hostUsers", "" if builder.host_users is None else _json(builder.host_users)),
        ("volumes prepared by", str(builder.volume_preparation)),
        ("client reaches it by", str(builder.transport)),
    ]
    return [(name, value) for name, value in rows if value and value != "{}"]


def _builder(facts: BuilderFacts) -> list[tuple[str, str]]:
    rows = [
        ("read from", str(facts.origin)),
        ("uid_map", facts.uid_map),
        ("gid_map", facts.gid_map),
        ("seccomp", None if facts.seccomp is None else _SECCOMP.get(facts.seccomp, str(facts.seccomp))),
        ("NoNewPrivs", None if facts.no_new_privs is None else _json(facts.no_new_privs)),
        ("CapBnd", None if facts.cap_bnd is None else f"{facts.cap_bnd:#x}"),
        ("CapEff", None if facts.cap_eff is None else f"{facts.cap_eff:#x}"),
        ("LSM label", facts.lsm_label),
        ("snapshotter", facts.snapshotter),
        ("platforms", ", ".join(facts.platforms) or None),
    ]
    return [(name, value) for name, value in rows if value is not None]


def _node(observation: Observation) -> list[tuple[str, str]]:
    node = observation.node_facts
    named = [("name", node.name)] if node.name else []
    kubelet = [("kubelet", node.kubelet)] if node.kubelet else []
    return [*named, *nodes.facts(node), *kubelet, *sorted(node.sysctls.items())]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
