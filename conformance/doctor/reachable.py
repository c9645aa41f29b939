"""Gate 3: a client where builds come from reaches the daemon."""

from __future__ import annotations

from typing import Final

from conformance.doctor.client import HANDSHAKE
from conformance.doctor.gate import Gate
from conformance.doctor.installation import Installation
from conformance.doctor.records import Answer, failed, passed, unproven

NO_CLIENT: Final = (
    "Name a running pod with buildctl where builds come from: --client-namespace NS --client POD[/CONTAINER], and "
    "with mTLS its --tls-ca, --tls-cert and --tls-key."
)


def run(installation: Installation) -> Answer:
    """Ask for the daemon's workers from the client, at the Service's address."""
    client = installation.client
    if client is None:
        return unproven(
            "no client was named: that pods are Ready does not prove that DNS, routes and NetworkPolicies let one in",
            remedy=NO_CLIENT,
        )
    call = client.workers(installation.front())
    if call.not_made:
        return unproven(call.not_made, remedy=NO_CLIENT)
    if call.ok:
        return passed(f"{client.title} gets an answer from {installation.address}")
    name = call.finding.class_
    if name in HANDSHAKE:
        return passed(
            f"{client.title} reaches {installation.address}; what is said there does not suit both: see mtls",
            evidence=(call.last_line,),
        )
    return failed(
        f"{client.title} does not reach {installation.address}",
        failure_class=name,
        candidates=call.finding.candidates,
        remedy="" if name else "Read what buildctl said, and the daemon's log.",
        evidence=(call.last_line, *_policies(installation)),
    )


def _policies(installation: Installation) -> tuple[str, ...]:
    """Return the NetworkPolicies where the daemon is: the usual reason why a Ready pod does not answer."""
    path = f"/apis/networking.k8s.io/v1/namespaces/{installation.namespace}/networkpolicies"
    found = installation.reader.listed_if_allowed(path, vital=False)
    return tuple(
        f"NetworkPolicy/{each['metadata']['name']} in namespace {installation.namespace} selects "
        f"{_labels((each.get('spec') or {}).get('podSelector') or {})}"
        for each in found
    )


def _labels(selector: dict[str, dict[str, str]]) -> str:
    labels = ",".join(f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items()))
    return labels or ("pods by expressions" if selector.get("matchExpressions") else "all pods")


GATE: Final = Gate(
    name="reachable",
    question="Does a client where builds come from reach the daemon?",
    run=run,
)
