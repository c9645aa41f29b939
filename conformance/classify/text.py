"""Classify one text, without a cluster and without facts."""

from __future__ import annotations

from conformance.classify.matcher import scan
from conformance.classify.precedence import rank
from conformance.classify.records import TextFinding
from conformance.model import SourceKind


def classify_text(text: str | bytes, kind: SourceKind = SourceKind.UNKNOWN, file: str = "-") -> TextFinding:
    """Say what a text alone supports best, what else it allows, and whether it settles the matter."""
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else bytes(text)
    ranked = rank(scan(data, kind=kind, file=file))
    best = ranked.best
    if best is None:
        return TextFinding()
    return TextFinding(
        class_=best.class_.name,
        layer=best.class_.layer,
        kind=best.class_.kind,
        evidence=(best.evidence,),
        candidates=ranked.candidates(),
        decisive=best.decisive,
        detail=best.detail,
    )
