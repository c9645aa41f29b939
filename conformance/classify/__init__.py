"""Failure classes: which one an observation or a text supports, and how surely. No input or output happens here."""

from conformance.classify.catalogue import CLASSES
from conformance.classify.cell import classify, decided_early
from conformance.classify.digest import RULES_DIGEST
from conformance.classify.records import FailureClass, Rule, TextFinding, Tier
from conformance.classify.text import classify_text

__all__ = [
    "CLASSES",
    "RULES_DIGEST",
    "FailureClass",
    "Rule",
    "TextFinding",
    "Tier",
    "classify",
    "classify_text",
    "decided_early",
]
