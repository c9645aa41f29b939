"""An installation that is well until a test breaks it: an API and a daemon, at the seam that is `Kube`."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from conformance import doctor
from conformance.doctor import Client, Diagnosis, Installation, Pool, Reader, Tls
from conformance.errors import ApiError
from conformance.kube import Ran

Json = dict[str, Any]
#: What buildctl says, by its command line.
Buildctl = Callable[[list[str]], Ran]

TLS = Tls(ca="/certs/ca.crt", cert="/certs/tls.crt", key="/certs/tls.key")
POOL = Pool(label="pool", value="builders")
NS = "/api/v1/namespaces/kit"
APPS = "/apis/apps/v1/namespaces/kit"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/kit/endpointslices"
ARGO = "/apis/argoproj.io/v1alpha1"
UNAVAILABLE = 'error: failed to list workers: Unavailable: connection error: desc = "{}"'
EOF = UNAVAILABLE.format("error reading server preface: EOF")
REQUIRED = UNAVAILABLE.format("error reading server preface: remote error: tls: certificate required")
PIPE = UNAVAILABLE.format("error reading server preface: write tcp 10.0.0.9:3->10.0.0.2:1234: write: broken pipe")


def said(text: str, code: int = 1) -> Ran:
    return Ran(code=code, output=text)


def safe(argv: list[str]) -> Ran:
    """Answer as a daemon does that demands certificates."""
    if "--tlscacert" not in argv:
        return said(EOF)
    if "--tlscert" not in argv:
        return said(REQUIRED)
    return said("ID:\t\tx\nPlatforms:\tlinux/amd64,linux/amd64/v2,linux/386\n\n", 0)


def plain(argv: list[str]) -> Ran:
    """Answer as a daemon without TLS does."""
    if "--tlscacert" in argv:
        return said(
            UNAVAILABLE.format(
                "transport: authentication handshake failed: tls: first record does not look like a TLS handshake"
            )
        )
    return said("ID:\t\tx\nPlatforms:\tlinux/amd64\n", 0)


class Site:
    """Objects by path; a path in `denied` is forbidden; every call of buildctl is kept."""

    def __init__(self) -> None:
        self.pod: Json = {
            "metadata": {"name": "kit-0", "namespace": "kit", "labels": {"app": "kit"}},
            "spec": {
                "nodeName": "n1",
                "nodeSelector": {"pool": "builders"},
                "tolerations": [{"key": "only", "operator": "Exists"}],
                "containers": [
                    {
                        "name": "buildkitd",
                        "args": ["--tlscert", "/certs/tls.crt"],
                        "volumeMounts": [{"name": "certs", "mountPath": "/certs"}],
                    }
                ],
                "volumes": [{"name": "certs", "secret": {"secretName": "server"}}],
            },
            "status": {
                "phase": "Running",
                "conditions": [{"type": "Ready", "status": "True"}],
                "containerStatuses": [{"name": "buildkitd", "ready": True, "state": {"running": {}}}],
            },
        }
        self.workload: Json = {
            "metadata": {"name": "kit", "generation": 1},
            "spec": {"replicas": 1, "template": {"metadata": {"labels": {"app": "kit"}}, "spec": self.pod["spec"]}},
            "status": {"replicas": 1, "observedGeneration": 1, "conditions": []},
        }
        self.service: Json = {
            "metadata": {"name": "kit", "namespace": "kit"},
            "spec": {"selector": {"app": "kit"}, "ports": [{"name": "b", "port": 1234}]},
        }
        self.slice: Json = {
            "ports": [{"name": "b", "port": 1234}],
            "endpoints": [{"addresses": ["10.0.0.2"], "conditions": {"ready": True}, "targetRef": {"name": "kit-0"}}],
        }
        self.node: Json = {
            "metadata": {"name": "n1", "labels": {"pool": "builders"}},
            "spec": {"taints": [{"key": "only", "effect": "NoSchedule"}]},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        }
        self.other: Json = {"metadata": {"name": "n2", "labels": {}}, "status": self.node["status"]}
        self.objects: dict[str, Any] = {
            f"{NS}/services/kit": self.service,
            f"{NS}/services": [self.service],
            f"{NS}/pods": [self.pod],
            f"{APPS}/deployments": [self.workload],
            SLICES: [self.slice],
            "/api/v1/nodes": [self.node, self.other],
        }
        self.denied: dict[str, str] = {}
        self.buildctl: Buildctl = safe
        self.calls: list[list[str]] = []
        self.log: str | None = ""

    def fetch(self, path: str, **_: str) -> Json | None:
        if path in self.denied:
            raise ApiError(f'x is forbidden: User "u" cannot {self.denied[path]}', status=403, reason="Forbidden")
        found = self.objects.get(path)
        return {"items": found} if isinstance(found, list) else found

    def logs(self, *_: str, previous: bool = False) -> str | None:
        del previous
        return self.log

    def execute(self, namespace: str, pod: str, container: str, argv: list[str], *, within: float) -> Ran:
        assert (namespace, pod, container) == ("runners", "r", "c")
        assert within > 20, "BuildKit's own dialling takes 20 s"
        if "exec" in self.denied:
            raise ApiError(f'pods "r" is forbidden: User "u" cannot {self.denied["exec"]}', status=403)
        self.calls.append(argv)
        return self.buildctl(argv)

    def secret(self, name: str, key: str, certificate: str) -> None:
        data = {key: base64.b64encode(certificate.encode()).decode()}
        self.objects[f"{NS}/secrets/{name}"] = {"data": data}

    def examine(
        self,
        *,
        tls: Tls | None = TLS,
        asked_from: bool = True,
        platforms: tuple[str, ...] = ("linux/amd64",),
        pool: Pool | None = POOL,
    ) -> Diagnosis:
        reader = Reader(self)
        client = Client(reader, namespace="runners", pod="r", container="c", tls=tls) if asked_from else None
        installation = Installation(
            reader=reader,
            namespace="kit",
            name="kit",
            port=1234,
            address="tcp://kit.kit.svc:1234",
            client=client,
            platforms=platforms,
            pool=pool,
        )
        return doctor.examine(installation, server="v1.35.4")
