"""Cluster DNS: the objects that make a CoreDNS outside of pods reachable as a Service, and one DNS question."""

from __future__ import annotations

import secrets
import socket
import struct
from typing import Any

from clusters.embedded.addresses import CLUSTER_DNS_IP

#: Resolves on every cluster as soon as DNS works.
QUESTION = "kubernetes.default.svc.cluster.local"

#: Bytes of a message's header.
HEADER = 12

Objects = tuple[tuple[str, dict[str, Any]], ...]


def service(node_ip: str) -> Objects:
    """Return API path and body of the DNS Service and of the EndpointSlice that points at the node's own CoreDNS."""
    ports = [{"name": "dns", "port": 53, "protocol": "UDP"}, {"name": "dns-tcp", "port": 53, "protocol": "TCP"}]
    return (
        (
            "/api/v1/namespaces/kube-system/services",
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": "kube-dns", "labels": {"k8s-app": "kube-dns"}},
                "spec": {"clusterIP": CLUSTER_DNS_IP, "ports": [{**port, "targetPort": 53} for port in ports]},
            },
        ),
        (
            "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices",
            {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": {"name": "kube-dns", "labels": {"kubernetes.io/service-name": "kube-dns"}},
                "addressType": "IPv4",
                "ports": ports,
                "endpoints": [{"addresses": [node_ip], "conditions": {"ready": True}}],
            },
        ),
    )


def answers(server: str, *, timeout: float) -> bool:
    """Say whether a DNS server resolves the API server's Service (RFC 1035, over UDP). `timeout` is in seconds."""
    query_id = secrets.randbits(16)
    labels = b"".join(bytes([len(label)]) + label.encode() for label in QUESTION.split("."))
    # Recursion desired, one question: the name, type A, class IN.
    query = struct.pack("!6H", query_id, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(timeout)
        try:
            client.sendto(query, (server, 53))
            reply = client.recv(512)
        except OSError:
            return False
    if len(reply) < HEADER:
        return False
    reply_id, flags, _, answer_count = struct.unpack("!4H", reply[:8])
    return bool(reply_id == query_id and flags & 0x000F == 0 and answer_count > 0)
