"""Claims: what we have committed to. Reads `matrices/claims/` and finds the claim that holds for a cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from packaging.specifiers import SpecifierSet

from clusters.provider import SECCOMP_PROFILES
from conformance import datafile
from conformance.errors import UsageError
from conformance.model import Cell, Claim, NodeFacts, Record, minor_of

#: The value of a node condition.
Value = bool | str | int

#: Every condition a claim may name (a field of `NodeFacts`), and the type of its values.
CONDITIONS: Final[Mapping[str, type[bool | str | int]]] = {
    "seccomp_default": bool,
    "apparmor": bool,
    "ids_per_pod": int,
    "cgroup_version": int,
    "architecture": str,
    # Containers run under each of the harness' Localhost profiles.
    "seccomp_profiles": bool,
    # Programs of some foreign architecture run.
    "emulators": bool,
}

_NOTHING = "no claim is made for this builder at this level"
_NOTHING_OF_PROBE = "no claim is made for this probe of this builder at this level"


class ClaimsFile(Record):
    """Claims as their file says them."""

    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolution:
    """The claim that holds for a cell; None when none does, and then why."""

    claim: Claim | None
    reason: str = ""


def load(folder: Path) -> tuple[Claim, ...]:
    """Read every claim under `folder/claims`; each remembers its file and line. Raises UsageError with all faults."""
    claims: list[Claim] = []
    faults: list[str] = []
    for path in sorted((folder / "claims").glob("*.toml")):
        try:
            content = datafile.read(path, ClaimsFile, ours=frozenset({"origin"}))
        except UsageError as error:
            faults += error.faults
            continue
        lines = datafile.line_numbers(path.read_text(encoding="utf-8"))
        for index, claim in enumerate(content.claims):
            place = f"{path}:{datafile.line_of(lines, ('claims', index))}"
            if claim.origin:
                faults.append(f"{place}: remove the key 'origin': the file's place says so")
            claims.append(claim.model_copy(update={"origin": place}))
    if faults:
        raise UsageError(*faults)
    return tuple(claims)


def resolve(
    claims: Sequence[Claim], cell: Cell, conditions: Mapping[str, Value] | None, *, probe: str = ""
) -> Resolution:
    """Find the most specific claim that holds for a cell under these node conditions (absent: not known).

    `probe` names the probe of it that is meant; none: its building.

    A claim that asks for an unknown fact is not applied, and no less specific one that says otherwise takes its place.
    Raises UsageError when two equally specific claims disagree.
    """
    facts = conditions or {}
    selecting = sorted((claim for claim in claims if selects(claim, cell, probe=probe)), key=specificity, reverse=True)
    holding = [claim for claim in selecting if _unmet(claim, facts) == ()]
    best = holding[0] if holding else None
    for claim in selecting:
        missing = tuple(name for name in claim.conditions if name not in facts)
        if not missing or any(name in facts for name in _unmet(claim, facts)):
            continue
        if best is None or (specificity(claim) >= specificity(best) and claim.expect != best.expect):
            verb = "is" if len(missing) == 1 else "are"
            reason = f"{' and '.join(missing)} {verb} not known, and the claim at {claim.origin} depends on it"
            return Resolution(claim=None, reason=reason)
    if best is None:
        nothing = _NOTHING_OF_PROBE if probe else _NOTHING
        return Resolution(claim=None, reason=_nothing_holds(selecting, facts) or nothing)
    for rival in holding:
        if rival.expect != best.expect and specificity(rival) == specificity(best):
            raise UsageError(contradiction(best, rival))
    return Resolution(claim=best)


def conditions_of(node: NodeFacts) -> dict[str, Value]:
    """Return the node conditions that are known; what was not seen is absent."""
    values = {name: getattr(node, name) for name in CONDITIONS}
    if node.seccomp_profiles is not None:
        values["seccomp_profiles"] = set(SECCOMP_PROFILES) <= set(node.seccomp_profiles)
    if node.emulators is not None:
        values["emulators"] = bool(node.emulators)
    return {name: value for name, value in values.items() if value is not None}


def selects(claim: Claim, cell: Cell, *, probe: str = "") -> bool:
    """Say whether a claim is about a cell's building, or about a probe of it, whatever its node is like."""
    return (
        claim.probe == probe
        and claim.builder == cell.builder.name
        and cell.level.psa in claim.levels
        and claim.provider in {"*", cell.provider}
        and within(claim.kubernetes, minor_of(cell.kubernetes))
        and within(claim.policy, policy_minor(cell))
    )


def policy_minor(cell: Cell) -> int:
    """Return the minor version of the policy a cell is really judged by: the server's own where none is pinned."""
    server = minor_of(cell.kubernetes)
    return server if cell.level.version == "latest" else min(server, minor_of(cell.level.version))


def within(span: str, minor: int) -> bool:
    """Say whether `1.<minor>` is in a range such as `>=1.33,<1.36`; the empty range holds everything."""
    return not span or _range(span).contains(f"1.{minor}")


def specificity(claim: Claim) -> int:
    """Count what a claim narrows beside builder and level: provider, Kubernetes, policy and each condition."""
    return (claim.provider != "*") + bool(claim.kubernetes) + bool(claim.policy) + len(claim.conditions)


def describe(claim: Claim) -> str:
    """Say what a claim selects and expects, e.g. `rootless-unset at baseline -> supported`."""
    narrowed = [
        f"on {claim.provider}" if claim.provider != "*" else "",
        f"Kubernetes {claim.kubernetes}" if claim.kubernetes else "",
        f"policy {claim.policy}" if claim.policy else "",
        *(f"{name} = {str(value).lower()}" for name, value in claim.conditions.items()),
    ]
    where = ", ".join(filter(None, narrowed))
    what = f"{claim.builder}, probe {claim.probe}," if claim.probe else claim.builder
    return f"{what} at {', '.join(claim.levels)}{f' ({where})' if where else ''} -> {claim.expect}"


def contradiction(one: Claim, other: Claim) -> str:
    """Say that two claims cannot both be held."""
    return (
        f"{other.origin}: the claim {describe(other)} contradicts {describe(one)} at {one.origin}, and neither is"
        f" more specific: correct one, or add a condition that tells them apart"
    )


@lru_cache
def _range(span: str) -> SpecifierSet:
    return SpecifierSet(span)


def _unmet(claim: Claim, facts: Mapping[str, Value]) -> tuple[str, ...]:
    return tuple(name for name, want in claim.conditions.items() if facts.get(name) != want)


def _nothing_holds(selecting: Sequence[Claim], facts: Mapping[str, Value]) -> str:
    names = sorted({name for claim in selecting for name in _unmet(claim, facts) if name in facts})
    if not names:
        return ""
    return "no claim is made for a node with " + ", ".join(f"{name} = {str(facts[name]).lower()}" for name in names)
