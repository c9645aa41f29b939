"""What a failure class and its rules are made of, and what a rule finds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from conformance.model import Evidence, Layer, SourceKind, VerdictKind


class Tier(IntEnum):
    """How close to the cause a rule's evidence is; a lower tier wins."""

    #: Structured state: conditions, reasons, exit codes, also where a text quotes them.
    STATE = 0
    #: A text that names the cause.
    CAUSE = 1
    #: A text that follows from other failures as well.
    CONSEQUENCE = 2
    #: True and worth saying, but never the reason why something failed.
    BACKGROUND = 3


ANY: Final = frozenset(SourceKind)
#: Where texts about making a cluster stand.
CLUSTER: Final = frozenset({SourceKind.PROVIDER, SourceKind.NODE, SourceKind.UNKNOWN})


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """A text and the conditions under which it means the class it stands under.

    Patterns are RE2 (linear time), ignore case, see ASCII, and `.` stays within a line.
    """

    pattern: str
    #: Source kinds the rule applies to; None: those of its class.
    kinds: frozenset[SourceKind] | None = None
    #: Must match in the lines around.
    near: str = ""
    #: Must not match in the line itself.
    unless: str = ""
    #: Must not match in the lines around.
    unless_near: str = ""
    #: Other classes that the same text allows: where given, the text alone does not settle it.
    also: tuple[str, ...] = ()
    tier: Tier = Tier.CAUSE
    #: Judges the text from the match to the end of its line where a pattern cannot (counting, for example).
    check: Callable[[str], bool] | None = None
    #: Reads the values behind the class out of the text from the match on.
    detail: Callable[[str], str] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class FailureClass:
    """A way in which an in-cluster build fails: what it means and what to do."""

    name: str
    layer: Layer
    kind: VerdictKind
    #: One sentence.
    meaning: str
    remedy: str
    #: A link or the name of a document.
    reference: str
    rules: tuple[Rule, ...] = ()
    kinds: frozenset[SourceKind] = ANY
    #: Classes that follow from this one: seen together, this one is the cause.
    explains: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Hit:
    """A class seen in one place."""

    class_: FailureClass
    tier: Tier
    evidence: Evidence
    also: tuple[str, ...] = ()
    detail: str = ""
    #: Where the source stands among the sources; state comes first.
    order: int = 0

    @property
    def decisive(self) -> bool:
        """Say whether the evidence allows this class alone, and whether the class is a cause at all."""
        return not self.also and self.class_.kind is not VerdictKind.SYMPTOM


@dataclass(frozen=True, kw_only=True, slots=True)
class TextFinding:
    """What a text alone says."""

    #: None where no rule matches: never guessed.
    class_: str | None = None
    layer: Layer | None = None
    kind: VerdictKind | None = None
    evidence: tuple[Evidence, ...] = ()
    #: What else the text allows, and which other classes are in it.
    candidates: tuple[str, ...] = ()
    #: Whether the text alone settles it.
    decisive: bool = False
    #: Values behind the class, e.g. the fields a policy names.
    detail: str = ""
