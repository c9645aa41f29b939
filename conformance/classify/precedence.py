"""Choose among what was seen: state before text, cause before consequence, then the order of layers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from conformance.classify.catalogue import CLASSES
from conformance.classify.records import Hit, Tier
from conformance.model import Layer, VerdictKind

_LAYER_ORDER: Final = {layer: place for place, layer in enumerate(Layer)}
_CLASS_ORDER: Final = {name: place for place, name in enumerate(CLASSES)}


class Weight(IntEnum):
    """What a hit can be at most; a lower one always wins."""

    CAUSE = 0
    #: Kind S: another text holds the cause.
    SYMPTOM = 1
    #: Another class that was seen as well explains it.
    EXPLAINED = 2
    #: True, but no reason for a failure.
    BACKGROUND = 3
    #: Kind W: noise.
    NOISE = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranked:
    """Hits in order of precedence, each class once, with its weight."""

    hits: tuple[Hit, ...]
    weights: dict[str, Weight]

    @property
    def best(self) -> Hit | None:
        """Return the hit that wins, or None."""
        return self.hits[0] if self.hits else None

    def candidates(self) -> tuple[str, ...]:
        """Return the other classes that the winner's evidence allows, and the other causes that were seen."""
        if not self.hits:
            return ()
        best = self.hits[0]
        others = [hit.class_.name for hit in self.hits[1:] if self.weights[hit.class_.name] is Weight.CAUSE]
        if self.weights[best.class_.name] is not Weight.CAUSE:
            others = []
        return tuple(dict.fromkeys(name for name in (*best.also, *others) if name != best.class_.name))

    def of(self, *weights: Weight) -> tuple[Hit, ...]:
        """Return the hits of these weights."""
        return tuple(hit for hit in self.hits if self.weights[hit.class_.name] in weights)


def rank(hits: Iterable[Hit]) -> Ranked:
    """Order hits; of each class the strongest and earliest stays."""
    hits = tuple(hits)
    explained = _explained(hits)
    weights = {hit.class_.name: Weight.NOISE for hit in hits}
    for hit in hits:
        weights[hit.class_.name] = min(weights[hit.class_.name], _weigh(hit, explained))
    ordered = sorted(hits, key=lambda hit: _key(hit, weights[hit.class_.name]))
    first = {hit.class_.name: hit for hit in reversed(ordered)}
    return Ranked(hits=tuple(first[name] for name in dict.fromkeys(h.class_.name for h in ordered)), weights=weights)


def _explained(hits: tuple[Hit, ...]) -> frozenset[str]:
    """Return the classes that another class among the hits explains; two that explain each other stay both."""
    explaining = {
        hit.class_.name: frozenset(hit.class_.explains)
        for hit in hits
        if hit.class_.kind is not VerdictKind.NOISE and hit.tier is not Tier.BACKGROUND
    }
    return frozenset(
        name for by, names in explaining.items() for name in names if by not in explaining.get(name, frozenset())
    )


def _weigh(hit: Hit, explained: frozenset[str]) -> Weight:
    if hit.class_.kind is VerdictKind.NOISE:
        return Weight.NOISE
    if hit.tier is Tier.BACKGROUND:
        return Weight.BACKGROUND
    if hit.class_.kind is VerdictKind.SYMPTOM:
        return Weight.SYMPTOM
    return Weight.EXPLAINED if hit.class_.name in explained else Weight.CAUSE


def _key(hit: Hit, weight: Weight) -> tuple[int, ...]:
    return (
        weight,
        hit.tier,
        _LAYER_ORDER[hit.class_.layer],
        bool(hit.also),
        hit.order,
        hit.evidence.line,
        _CLASS_ORDER[hit.class_.name],
    )
