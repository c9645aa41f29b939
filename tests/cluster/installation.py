"""A standalone daemon with mutual TLS, its Service and its clients, as plain manifests."""

from __future__ import annotations

import base64
import datetime as dt
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from conformance.kube import Kube

Json = dict[str, Any]

PORT = 1234
CERTS = "/certs"


class Authority:
    """A certificate authority that lives as long as a test."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        own = self._builder(self._name, self._key, days=30)
        self.certificate = pem(
            own.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(
                self._key, hashes.SHA256()
            )
        )

    def issue(self, name: str, *hosts: str, days: int = 30) -> tuple[str, str]:
        """Return certificate and key; negative days make one that has expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key, days=days)
        if hosts:
            names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
            builder = builder.add_extension(names, critical=False)
        return pem(builder.sign(self._key, hashes.SHA256())), private(key)

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, days: int) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=60))
            .not_valid_after(now + dt.timedelta(days=days))
        )


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def private(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def triple(authority: Authority, pair: tuple[str, str]) -> dict[str, str]:
    """Return the three files of one side, as cert-manager names them."""
    return {"ca.crt": authority.certificate, "tls.crt": pair[0], "tls.key": pair[1]}


def secret(name: str, files: dict[str, str]) -> Json:
    data = {key: base64.b64encode(text.encode()).decode() for key, text in files.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": data}


def service(name: str) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": [{"name": "buildkit", "port": PORT, "targetPort": PORT}]},
    }


def deployment(name: str, container: Json, *volumes: Json) -> Json:
    """Return one that keeps what serves until its successor does."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": name}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {
                    "terminationGracePeriodSeconds": 1,
                    "automountServiceAccountToken": False,
                    "containers": [container],
                    "volumes": list(volumes),
                },
            },
        },
    }


def daemon(name: str, image: str, *, tls: str | None) -> Json:
    """Return a rootful daemon that takes its certificates from the Secret `tls`; None: it speaks plaintext."""
    args = ["--addr", f"tcp://0.0.0.0:{PORT}"]
    mounts = [{"name": "state", "mountPath": "/var/lib/buildkit"}]
    volumes: list[Json] = [{"name": "state", "emptyDir": {}}]
    if tls is not None:
        for flag, key in (("--tlscacert", "ca.crt"), ("--tlscert", "tls.crt"), ("--tlskey", "tls.key")):
            args += [flag, f"{CERTS}/{key}"]
        mounts.append({"name": "certs", "mountPath": CERTS})
        volumes.append({"name": "certs", "secret": {"secretName": tls}})
    container = {
        "name": "buildkitd",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "args": args,
        "securityContext": {"privileged": True},
        "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
        "volumeMounts": mounts,
    }
    return deployment(name, container, *volumes)


def sleeper(image: str) -> Json:
    return {
        "name": "runner",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["/bin/sh", "-c", "while :; do sleep 3600; done"],
    }


def client(name: str, image: str, *, tls: str) -> Json:
    """Return a pod that mounts the Secret `tls`."""
    container = {**sleeper(image), "volumeMounts": [{"name": "certs", "mountPath": CERTS}]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "containers": [container],
            "volumes": [{"name": "certs", "secret": {"secretName": tls}}],
        },
    }


def path_of(body: Json, namespace: str) -> str:
    """Return where an object of the kinds used here is created."""
    version, kind = body["apiVersion"], body["kind"]
    base = f"/api/{version}" if "/" not in version else f"/apis/{version}"
    where = "" if kind.startswith("Cluster") else f"/namespaces/{namespace}"
    return f"{base}{where}/{kind.lower()}s"


def create(kube: Kube, namespace: str, *bodies: Json) -> None:
    for body in bodies:
        kube._call("POST", path_of(body, namespace), body)


def change(kube: Kube, namespace: str, name: str, **spec: Any) -> None:  # noqa: ANN401 - any part of a Deployment
    """Replace parts of a Deployment's spec."""
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}"
    body = kube.fetch(path)
    assert body is not None
    del body["metadata"]["resourceVersion"]
    body["spec"].update(spec)
    kube._call("PUT", path, body)
