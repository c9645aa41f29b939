"""Which nodes a pod may go to: selectors, required node affinity, taints and tolerations."""

from __future__ import annotations

from typing import Final

from conformance.doctor.installation import Pool
from conformance.kube import Json

#: Effects that keep a pod away; PreferNoSchedule only asks.
_KEEPING: Final = frozenset({"NoSchedule", "NoExecute"})


def pins(spec: Json, pool: Pool) -> bool:
    """Say whether a pod demands the pool's label, so that no other node will do."""
    if (spec.get("nodeSelector") or {}).get(pool.label) == pool.value:
        return True
    terms = _terms(spec)
    return bool(terms) and all(_demands(term, pool) for term in terms)


def wants(spec: Json, node: Json) -> bool:
    """Say whether a node has what nodeSelector and required node affinity ask for."""
    labels: dict[str, str] = node["metadata"].get("labels") or {}
    if not (spec.get("nodeSelector") or {}).items() <= labels.items():
        return False
    terms = _terms(spec)
    return not terms or any(_matches(term, node["metadata"]["name"], labels) for term in terms)


def untolerated(spec: Json, node: Json) -> list[str]:
    """Return the taints of a node that keep a pod away, as kubectl writes them."""
    tolerations: list[Json] = spec.get("tolerations") or []
    return [
        f"{taint['key']}={taint.get('value', '')}:{taint['effect']}"
        for taint in (node.get("spec") or {}).get("taints") or []
        if taint["effect"] in _KEEPING and not any(_tolerates(each, taint) for each in tolerations)
    ]


def _terms(spec: Json) -> list[Json]:
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    return required.get("nodeSelectorTerms") or []


def _demands(term: Json, pool: Pool) -> bool:
    return any(
        each["key"] == pool.label and each["operator"] == "In" and each.get("values") == [pool.value]
        for each in term.get("matchExpressions") or []
    )


def _matches(term: Json, name: str, labels: dict[str, str]) -> bool:
    expressions, fields = term.get("matchExpressions") or [], term.get("matchFields") or []
    if not expressions and not fields:
        # An empty term selects nothing (NodeSelectorTerm in the API reference).
        return False
    return all(_holds(each, labels) for each in expressions) and all(
        _holds(each, {"metadata.name": name}) for each in fields
    )


def _holds(expression: Json, labels: dict[str, str]) -> bool:
    value, values = labels.get(expression["key"]), expression.get("values") or []
    match expression["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt" as operator:
            return _compares(value, values, greater=operator == "Gt")
        case _:
            return False


def _compares(value: str | None, values: list[str], *, greater: bool) -> bool:
    try:
        seen, bound = int(value or ""), int(values[0])
    except (ValueError, IndexError):
        return False
    return seen > bound if greater else seen < bound


def _tolerates(toleration: Json, taint: Json) -> bool:
    if toleration.get("effect") not in {None, "", taint["effect"]}:
        return False
    key = toleration.get("key") or ""
    if toleration.get("operator", "Equal") == "Exists":
        return key in {"", taint["key"]}
    return bool(key == taint["key"] and (toleration.get("value") or "") == taint.get("value", ""))
