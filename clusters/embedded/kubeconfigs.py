"""Kubeconfigs: one for each who speaks to the API server, with everything embedded so that a file can be copied."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import yaml

from clusters.embedded.pki import Pki


def render(pki: Pki, who: str, *, server: str, cluster: str) -> str:
    """Return the kubeconfig of an identity for an API server's URL."""
    pair = pki.pairs[who]
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": cluster, "cluster": {"server": server, "certificate-authority-data": _base64(pki.ca)}},
        ],
        "users": [
            {
                "name": who,
                "user": {
                    "client-certificate-data": _base64(pair.certificate),
                    "client-key-data": _base64(pair.key),
                },
            },
        ],
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": who}}],
        "current-context": cluster,
    }
    return yaml.safe_dump(content, sort_keys=False)


def write(text: str, path: Path) -> None:
    """Write a kubeconfig that only its owner can read, whatever the umask."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as sink:
        sink.write(text)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
