"""An API server of a cluster as far as the provider asks it, over TLS; it takes tokens as EKS does."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import ipaddress
import json
import re
import ssl
import threading
import urllib.parse
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.clusters.eks.account import KEY, SECRET

NODE = {
    "metadata": {"name": "ip-10-203-0-7"},
    "status": {
        "conditions": [{"type": "Ready", "status": "True"}],
        "nodeInfo": {
            "kernelVersion": "6.12.40",
            "osImage": "Amazon Linux 2023",
            "architecture": "amd64",
            "containerRuntimeVersion": "containerd://2.1.4",
            "kubeletVersion": "v1.34.2-eks-1",
        },
    },
}


@dataclass
class ApiServer:
    """The server: `objects` by path; `tokens` that came, `refusals` to give before it is ready."""

    folder: Path
    objects: dict[str, Any] = field(default_factory=dict)
    refusals: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    secret: str = SECRET
    port: int = 0
    authority: bytes = b""

    def __enter__(self) -> Self:
        self.objects = {
            "/readyz": "ok",
            "/version": {"gitVersion": "v1.34.2-eks-abc"},
            "/api/v1/nodes": {"items": [NODE]},
            "/api/v1/events": {"items": []},
            "/api/v1/namespaces/kube-system/pods": {"items": []},
            "/apis/apps/v1/namespaces/kube-system/deployments/coredns": {"status": {"availableReplicas": 2}},
        }
        server: ApiServer = self

        class Handler(_Handler):
            owner = server

        certificate, key = _certificate(self.folder)
        self.authority = certificate.read_bytes()
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate, key)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def describe(self, operation: str, content: dict[str, Any]) -> None:
        """Put this server's address and authority into what moto says of a cluster: a rewrite for the wire."""
        if operation == "describe_cluster" and "cluster" in content:
            content["cluster"]["endpoint"] = f"https://127.0.0.1:{self.port}"
            content["cluster"]["certificateAuthority"] = {"data": base64.b64encode(self.authority).decode()}


class _Handler(BaseHTTPRequestHandler):
    owner: ApiServer

    def log_message(self, *_: object) -> None:
        """Stay quiet."""

    def do_GET(self) -> None:
        server = self.owner
        server.asked.append(self.path)
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if not re.fullmatch(r"bc-[a-z0-9-]+", cluster_of(token, server.secret) or ""):
            self._answer(401, b"Unauthorized")
        elif server.refusals:
            self._answer(server.refusals.pop(0), b"not yet")
        elif self.path not in server.objects:
            self._answer(404, b"{}")
        else:
            found = server.objects[self.path]
            self._answer(200, found.encode() if isinstance(found, str) else json.dumps(found).encode())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def cluster_of(token: str, secret: str) -> str | None:
    """Check a token as STS would, and return the cluster it was made for, or None. EKS names the cluster itself.

    The header is not in the URL: whoever checks must guess it, so this tries the names it is told through `CLUSTERS`.
    """
    coded = token.removeprefix("k8s-aws-v1.")
    try:
        url = urllib.parse.urlsplit(base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4)).decode())
    except ValueError:
        return None
    asked = dict(urllib.parse.parse_qsl(url.query))
    if url.scheme != "https" or asked.get("Action") != "GetCallerIdentity":
        return None
    return next((name for name in CLUSTERS if is_signed(url, name, secret)), None)


#: The clusters that a token may be for.
CLUSTERS: set[str] = set()


def is_signed(url: urllib.parse.SplitResult, cluster: str, secret: str, access: str = KEY) -> bool:
    """Check the signature of a presigned question with a header that names the cluster, as AWS documents it."""
    asked = urllib.parse.parse_qs(url.query, strict_parsing=True)
    signature = asked.pop("X-Amz-Signature")[0]
    who, day, region, service, end = asked["X-Amz-Credential"][0].split("/")
    stamp = asked["X-Amz-Date"][0]
    age = dt.datetime.now(dt.UTC) - dt.datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    pairs = sorted((key, value) for key, values in asked.items() for value in values)
    query = "&".join(f"{urllib.parse.quote(k, safe='')}={urllib.parse.quote(v, safe='')}" for k, v in pairs)
    headers = f"host:{url.netloc}\nx-k8s-aws-id:{cluster}\n"
    empty = hashlib.sha256(b"").hexdigest()
    canonical = f"GET\n{url.path}\n{query}\n{headers}\nhost;x-k8s-aws-id\n{empty}"
    scope = f"{day}/{region}/{service}/{end}"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, end):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    expected = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return expected == signature and who == access and abs(age) < dt.timedelta(minutes=15)


def _certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cluster")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "api.crt", folder / "api.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, private
