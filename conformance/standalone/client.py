"""Where builds come from: a namespace of its own at the level `restricted`, with a pod that has `buildctl`."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Final

from conformance.kube import Json
from conformance.model import ClientNamespace, Level, PsaLevel
from conformance.namespace import manifest

CONTAINER: Final = "client"
LABELS: Final = {"app.kubernetes.io/name": "build-client"}
#: Bears it: a namespace that the NetworkPolicy of a daemon lets in.
ALLOWED: Final = {"build-conformance.dev/may-build": "true"}

_SECRET: Final = "buildkit-client-tls"  # noqa: S105 - its name
#: Where the client finds its certificates.
DIRECTORY: Final = "/certs"
#: Of the client's image.
_USER: Final = 1000


def selector() -> str:
    """Return the label selector of the client's pod."""
    return ",".join(f"{key}={value}" for key, value in LABELS.items())


def namespace(name: str, which: ClientNamespace, *, run_id: str, cell_id: str) -> Json:
    """Return the client's namespace; only an allowed one bears the label that policies name."""
    body = manifest(name, level=Level(psa=PsaLevel.RESTRICTED), run_id=run_id, cell_id=cell_id)
    if which is ClientNamespace.ALLOWED:
        body["metadata"]["labels"] |= ALLOWED
    return body


def client_secret(files: Mapping[str, bytes]) -> Json:
    """Return the Secret that the client's pod mounts."""
    return secret(_SECRET, files)


def secret(name: str, files: Mapping[str, bytes]) -> Json:
    """Return a Secret of files."""
    data = {key: base64.b64encode(text).decode() for key, text in files.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "type": "Opaque", "data": data}


def pod(image: str, *, with_files: bool) -> Json:
    """Return the client's pod, admissible at `restricted`; it idles, builds are commands in it."""
    container: Json = {
        "name": CONTAINER,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["/bin/sh", "-c", "trap 'exit 0' TERM INT; sleep 2147483647 & wait"],
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    volumes = []
    if with_files:
        container["volumeMounts"] = [{"name": "certs", "mountPath": DIRECTORY, "readOnly": True}]
        volumes = [{"name": "certs", "secret": {"secretName": _SECRET, "defaultMode": 0o440}}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": CONTAINER, "labels": LABELS},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": 0,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": _USER,
                "runAsGroup": _USER,
                "fsGroup": _USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
            "volumes": volumes,
        },
    }
