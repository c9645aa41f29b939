"""The RBAC rules that Kubernetes does not bring along: for CoreDNS, and for the API server as the kubelet's client."""

from __future__ import annotations

from typing import Any

RBAC = "rbac.authorization.k8s.io"
Objects = tuple[tuple[str, dict[str, Any]], ...]


def rules() -> Objects:
    """Return API path and body of each rule, in the order of creation."""
    return (
        role(
            "system:coredns",
            {
                "apiGroups": [""],
                "resources": ["services", "namespaces", "pods", "endpoints"],
                "verbs": ["list", "watch"],
            },
            {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"]},
        ),
        binding("system:coredns", role="system:coredns", user="system:coredns"),
        # logs, exec, port-forward and /configz go through the API server, which speaks to the kubelet as this user.
        binding("apiserver-kubelet-client", role="system:kubelet-api-admin", user="kube-apiserver-kubelet-client"),
    )


def role(name: str, *rules: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return API path and body of a role for the whole cluster."""
    body = {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": list(rules)}
    return f"/apis/{RBAC}/v1/clusterroles", body


def binding(name: str, *, role: str, user: str) -> tuple[str, dict[str, Any]]:
    """Return API path and body of what gives a user a role for the whole cluster."""
    body = {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": RBAC, "kind": "User", "name": user}],
    }
    return f"/apis/{RBAC}/v1/clusterrolebindings", body
