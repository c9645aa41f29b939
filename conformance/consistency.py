"""Refuse claims that name nothing known, hold for no cell, or contradict or repeat each other."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import combinations
from typing import Final

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from conformance.claims import CONDITIONS, contradiction, describe, selects, specificity, within
from conformance.errors import UsageError
from conformance.model import HOLDS, SUPPORTED, Cell, Claim
from conformance.nearest import unknown

#: Minor versions over which ranges are compared; Kubernetes is far from having more.
_MINORS: Final = range(100)


def check(
    claims: Sequence[Claim],
    *,
    builders: Collection[str],
    providers: Collection[str],
    classes: Collection[str],
    cells: Iterable[Cell],
    probes: Mapping[str, Collection[str]] | None = None,
) -> None:
    """Raise UsageError with every fault of the claims.

    `classes` are the names of all failure classes; `cells` are those that any matrix can have (`matrix.reachable`);
    `probes` are what each probe can find besides that all holds.
    """
    faults = [fault for claim in claims for fault in _names(claim, builders, providers)]
    faults += [fault for claim in claims for fault in _expectation(claim, classes, probes or {})]
    faults += [fault for claim in claims for fault in _values(claim)]
    if not faults:
        known = tuple(cells)
        faults += [
            f"{claim.origin}: the claim {describe(claim)} is for no cell of any matrix: correct it or remove it"
            for claim in claims
            if not any(selects(claim, cell, probe=claim.probe) for cell in known)
        ]
        faults += [fault for one, other in combinations(claims, 2) for fault in _conflict(one, other)]
    if faults:
        raise UsageError(*faults)


def _names(claim: Claim, builders: Collection[str], providers: Collection[str]) -> Iterator[str]:
    if claim.builder not in builders:
        yield f"{claim.origin}: {unknown('builder', claim.builder, builders)}"
    if claim.provider != "*" and claim.provider not in providers:
        yield f"{claim.origin}: {unknown('provider', claim.provider, providers)}"
    for name in claim.conditions:
        if name not in CONDITIONS:
            yield f"{claim.origin}: {unknown('condition', name, CONDITIONS)}"


def _expectation(claim: Claim, classes: Collection[str], probes: Mapping[str, Collection[str]]) -> Iterator[str]:
    if not claim.probe:
        if claim.expect != SUPPORTED and claim.expect not in classes:
            yield f"{claim.origin}: {unknown('class', claim.expect, {SUPPORTED, *classes}, plural='classes')}"
        return
    if claim.probe not in probes:
        yield f"{claim.origin}: {unknown('probe', claim.probe, probes)}"
    elif claim.expect not in {HOLDS, *probes[claim.probe]}:
        wrong = unknown("finding", claim.expect, {HOLDS, *probes[claim.probe]})
        yield f"{claim.origin}: probe {claim.probe}: {wrong}"
    if claim.repeats > 1 or claim.at_least:
        yield f"{claim.origin}: `repeats` and `at_least` are for claims about building: a probe looks once a try"


def _values(claim: Claim) -> Iterator[str]:
    if not claim.levels:
        yield f"{claim.origin}: `levels` is empty: name at least one"
    for key, span in (("kubernetes", claim.kubernetes), ("policy", claim.policy)):
        if not _is_range(span):
            yield f"{claim.origin}: `{key}` is {span!r}, which is no range: write such as '>=1.33' or '>=1.33,<1.36'"
    for name, value in claim.conditions.items():
        wanted = CONDITIONS.get(name, type(value))
        if type(value) is not wanted:
            yield f"{claim.origin}: the condition {name!r} is {value!r}: it must be a {wanted.__name__}"
    if claim.at_least > claim.repeats:
        yield f"{claim.origin}: `at_least` is {claim.at_least}, more than `repeats`, {claim.repeats}: lower it"
    if not _is_day(claim.date):
        yield f"{claim.origin}: `date` is {claim.date!r}, which is no day: write such as '2026-11-21'"


def _is_range(span: str) -> bool:
    try:
        SpecifierSet(span)
    except InvalidSpecifier:
        return False
    return True


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _conflict(one: Claim, other: Claim) -> Iterator[str]:
    """Say when two claims can hold for the same cell and nothing says which of them wins."""
    if (
        one.builder != other.builder
        or one.probe != other.probe
        or not set(one.levels) & set(other.levels)
        or (one.provider != other.provider and "*" not in {one.provider, other.provider})
        or any(other.conditions.get(name, want) != want for name, want in one.conditions.items())
        or specificity(one) != specificity(other)
        or not _overlap(one.kubernetes, other.kubernetes)
        or not _overlap(one.policy, other.policy)
    ):
        return
    if one.expect != other.expect:
        yield contradiction(one, other)
    elif one.conditions == other.conditions and one.provider == other.provider:
        yield f"{other.origin}: the claim {describe(other)} is already made at {one.origin}: remove one of them"


def _overlap(one: str, other: str) -> bool:
    return any(within(one, minor) and within(other, minor) for minor in _MINORS)
