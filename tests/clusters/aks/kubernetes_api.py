"""An imitation of a cluster's API server: one node and its DNS, which become Ready after a few looks."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import urlsplit

import yaml

from tests.clusters.aks.certificates import Authority
from tests.clusters.aks.servers import Answer, Request

NODE = "aks-nodes-1-vmss000000"


class KubernetesApi:
    """What it says; `looks` is how often it is asked in vain."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.looks = {"/readyz": 1, "/api/v1/nodes": 1, "/api/v1/namespaces/kube-system/pods": 1}
        self.has_default_class = True
        self.shows_configz = True
        self.calls: list[str] = []

    def respond(self, request: Request) -> Answer:  # noqa: PLR0911 - one for each address
        path = urlsplit(request.path).path
        self.calls.append(request.path)
        is_ready = self.looks.get(path, 0) <= 0
        self.looks[path] = self.looks.get(path, 0) - 1
        match path:
            case "/readyz":
                return Answer(status=200 if is_ready else 500)
            case "/version":
                return Answer(body={"gitVersion": "v1.35.9"})
            case "/api/v1/nodes":
                return _list(_node(is_ready=is_ready))
            case "/api/v1/namespaces/kube-system/pods":
                return _list(_pod(is_ready=is_ready)) if is_ready else _list()
            case "/apis/storage.k8s.io/v1/storageclasses":
                return _list(_storage_class(is_default=self.has_default_class))
            case "/api/v1/events":
                return _list()
            case _ if path == f"/api/v1/nodes/{NODE}/proxy/configz":
                return Answer(body={"kubeletconfig": {}}) if self.shows_configz else Answer(status=403, body={})
            case _:
                return Answer(status=404, body={})


def kubeconfig(server: str, authority: Authority) -> bytes:
    """Return what Azure hands out: a cluster, and a user known by a certificate."""
    pair = authority.issue("masterclient", is_server=False)
    document: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": "c", "cluster": {"server": server, "certificate-authority-data": _text(authority.pem)}},
        ],
        "users": [
            {
                "name": "u",
                "user": {"client-certificate-data": _text(pair.certificate), "client-key-data": _text(pair.key)},
            }
        ],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    return yaml.safe_dump(document).encode()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _list(*items: dict[str, Any]) -> Answer:
    return Answer(body={"kind": "List", "items": list(items)})


def _conditions(*, is_ready: bool) -> list[dict[str, str]]:
    return [{"type": "Ready", "status": "True" if is_ready else "False"}]


def _node(*, is_ready: bool) -> dict[str, Any]:
    info = {
        "kubeletVersion": "v1.35.9",
        "kernelVersion": "6.8.0-azure",
        "osImage": "Ubuntu 24.04",
        "containerRuntimeVersion": "containerd://2.1",
    }
    return {
        "metadata": {"name": NODE, "labels": {"kubernetes.azure.com/node-image-version": "image-1"}},
        "status": {"conditions": _conditions(is_ready=is_ready), "nodeInfo": info},
    }


def _pod(*, is_ready: bool) -> dict[str, Any]:
    return {"metadata": {"name": "coredns"}, "status": {"conditions": _conditions(is_ready=is_ready)}}


def _storage_class(*, is_default: bool) -> dict[str, Any]:
    marks = {"storageclass.kubernetes.io/is-default-class": "true"} if is_default else None
    return {"metadata": {"name": "managed-csi", "annotations": marks}}
