"""Addresses inside an embedded cluster, alike in all: they live in network namespaces of their own."""

from __future__ import annotations

from typing import Final

SERVICE_CIDR: Final = "10.96.0.0/16"
POD_CIDR: Final = "10.244.0.0/16"

#: The Service `kubernetes`: always the first of the range.
API_SERVICE_IP: Final = "10.96.0.1"
CLUSTER_DNS_IP: Final = "10.96.0.10"
CLUSTER_DOMAIN: Final = "cluster.local"

#: The fixture registry's Service and address: the node's container runtime resolves the name to this address alone.
FIXTURES_NAMESPACE: Final = "conformance-fixtures"
REGISTRY_HOST: Final = f"registry.{FIXTURES_NAMESPACE}.svc.{CLUSTER_DOMAIN}:5000"
REGISTRY_CLUSTER_IP: Final = "10.96.0.50"
GIT_CLUSTER_IP: Final = "10.96.0.51"

API_PORT: Final = 6443
