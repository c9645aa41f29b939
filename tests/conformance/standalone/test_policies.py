"""What NetworkPolicies say of a client in another namespace, as the API's reference has it."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.standalone.policies import Visit, judge

DAEMON = {"app": "buildkitd"}
VISIT = Visit(
    daemon=DAEMON,
    port=1234,
    client={"app": "client"},
    client_namespace={"kubernetes.io/metadata.name": "runners", "may-build": "true"},
)


def policy(*rules: dict[str, Any], **spec: object) -> dict[str, Any]:
    return {
        "metadata": {"name": "p"},
        "spec": {"podSelector": {"matchLabels": DAEMON}, "policyTypes": ["Ingress"], "ingress": list(rules), **spec},
    }


def from_namespace(**labels: str) -> dict[str, Any]:
    return {"from": [{"namespaceSelector": {"matchLabels": labels}}]}


NAMED = {"matchExpressions": [{"key": "may-build", "operator": "In", "values": ["true"]}]}


@pytest.mark.parametrize(
    ("rule", "admitted"),
    [
        ({}, True),
        (from_namespace(**{"may-build": "true"}), True),
        (from_namespace(**{"may-build": "false"}), False),
        ({"from": [{"podSelector": {}}]}, False),
        ({"from": [{"podSelector": {}}, {"namespaceSelector": {}}]}, True),
        ({"from": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "client"}}}]}, True),
        ({"from": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "other"}}}]}, False),
        ({"from": [{"namespaceSelector": NAMED}]}, True),
        ({"from": [{"namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}}]}, False),
        ({"from": [{"namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}}]}, True),
        ({"ports": [{"port": 1234, "protocol": "TCP"}]}, True),
        ({"ports": [{"port": 1235}]}, False),
        ({"ports": [{"port": 1234, "protocol": "UDP"}]}, False),
        ({"ports": [{"port": 1000, "endPort": 2000}]}, True),
        # What objects alone do not tell proves nothing against the client.
        ({"ports": [{"port": "buildkit"}]}, True),
        ({"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}, True),
    ],
)
def test_a_rule_admits_a_client_as_the_api_says(rule: dict[str, Any], *, admitted: bool) -> None:
    facts = judge([policy(rule)], VISIT, enforced=True)
    assert (facts.selecting, facts.admits_client) == (("p",), admitted)


def test_a_policy_without_rules_admits_nobody() -> None:
    assert judge([policy()], VISIT, enforced=True).admits_client is False


def test_one_policy_that_admits_is_enough() -> None:
    assert judge([policy(), policy({})], VISIT, enforced=True).admits_client


@pytest.mark.parametrize("spec", [{"podSelector": {"matchLabels": {"app": "other"}}}, {"policyTypes": ["Egress"]}])
def test_a_policy_for_something_else_does_not_count(spec: dict[str, Any]) -> None:
    facts = judge([policy(**spec)], VISIT, enforced=True)
    assert (facts.selecting, facts.admits_client) == ((), True)


def test_a_policy_that_names_no_type_is_for_ingress() -> None:
    assert judge([policy(policyTypes=None)], VISIT, enforced=True).selecting == ("p",)
