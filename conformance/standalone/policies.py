"""What NetworkPolicies say of one connection, read from the objects (networking.k8s.io/v1) and not from its fate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from conformance.kube import Json
from conformance.model import PolicyFacts

Labels = Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """A client in another namespace comes to a daemon's port."""

    daemon: Labels
    port: int
    client: Labels
    client_namespace: Labels


def judge(policies: Iterable[Json], visit: Visit, *, enforced: bool) -> PolicyFacts:
    """Return which policies of the daemon's namespace select it, and whether one of them admits the visit."""
    selecting = [policy for policy in policies if _selects(policy["spec"], visit.daemon)]
    rules = [rule for policy in selecting for rule in policy["spec"].get("ingress") or []]
    return PolicyFacts(
        enforced=enforced,
        selecting=tuple(sorted(policy["metadata"]["name"] for policy in selecting)),
        admits_client=not selecting or any(_admits(rule, visit) for rule in rules),
    )


def _selects(spec: Json, daemon: Labels) -> bool:
    # Where no types are named, the policy is for ingress (API reference, NetworkPolicySpec).
    return "Ingress" in (spec.get("policyTypes") or ["Ingress"]) and _matches(spec.get("podSelector"), daemon)


def _admits(rule: Json, visit: Visit) -> bool:
    """Say whether a rule may let the visit in; what only the network can tell, a block or a port's name, may."""
    ports, peers = rule.get("ports") or [], rule.get("from") or []
    on_port = not ports or any(_is_port(port, visit.port) for port in ports)
    return on_port and (not peers or any(_is_peer(peer, visit) for peer in peers))


def _is_port(entry: Json, port: int) -> bool:
    said = entry.get("port")
    if entry.get("protocol", "TCP") != "TCP":
        return False
    return not isinstance(said, int) or said <= port <= entry.get("endPort", said)


def _is_peer(peer: Json, visit: Visit) -> bool:
    if "ipBlock" in peer:
        return True
    if "namespaceSelector" not in peer:
        # Pods of the daemon's own namespace, where the client is not.
        return False
    pods = "podSelector" not in peer or _matches(peer["podSelector"], visit.client)
    return pods and _matches(peer["namespaceSelector"], visit.client_namespace)


def _matches(selector: Json | None, labels: Labels) -> bool:
    """Say whether a label selector matches; an empty one matches everything."""
    wanted = (selector or {}).get("matchLabels") or {}
    expressions = (selector or {}).get("matchExpressions") or []
    return wanted.items() <= dict(labels).items() and all(_holds(each, labels) for each in expressions)


def _holds(expression: Json, labels: Labels) -> bool:
    key, values = expression["key"], expression.get("values") or []
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case _:
            # The API server admits no other; one that a later version knows proves nothing.
            return True
