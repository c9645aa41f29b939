"""A cluster's own API server, as its kubeconfig reaches it: just enough to know that a cluster can be used."""

from __future__ import annotations

import base64
import binascii
import http.client
import json
import ssl
import tempfile
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from clusters.errors import ClustersError


class ApiError(ClustersError):
    """The cluster's API server could not be reached or answered with an error."""

    def __init__(self, path: str, reason: str) -> None:
        """Name the path that was asked for and what was wrong with the answer."""
        super().__init__(f"GET {path} from the cluster's API server failed: {reason}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """Where an API server is and how it is spoken to; `patience` is seconds a request may take."""

    host: str
    port: int
    tls: ssl.SSLContext
    patience: float

    def get(self, path: str) -> dict[str, Any] | None:
        """Return the object at a path, None when there is none. Raises ApiError."""
        status, body = self._ask(path)
        match status:
            case HTTPStatus.OK:
                value = json.loads(body)
                return value if isinstance(value, dict) else {}
            case HTTPStatus.NOT_FOUND:
                return None
            case _:
                raise ApiError(path, f"{status} {body[:300].decode(errors='replace')}")

    def items(self, path: str) -> list[dict[str, Any]]:
        """Return the objects of a list; empty when there is none. Raises ApiError."""
        return list((self.get(path) or {}).get("items") or [])

    def is_ready(self) -> bool:
        """Say whether the server answers and says it is ready; that it cannot be reached is no error."""
        try:
            return self._ask("/readyz")[0] == HTTPStatus.OK
        except ApiError:
            return False

    def _ask(self, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPSConnection(self.host, self.port, timeout=self.patience, context=self.tls)
        try:
            connection.request("GET", path, headers={"User-Agent": "build-conformance-aks"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise ApiError(path, str(error) or type(error).__name__) from error
        finally:
            connection.close()


def open_access(kubeconfig: bytes, patience: float) -> Access:
    """Return the access of a kubeconfig's current context. Raises ClustersError when it brings no certificate."""
    try:
        document = yaml.safe_load(kubeconfig)
        context = _named(document, "context", document["current-context"])
        cluster, user = _named(document, "cluster", context["cluster"]), _named(document, "user", context["user"])
        server = urlsplit(cluster["server"])
        tls = ssl.create_default_context(cadata=_decoded(cluster["certificate-authority-data"]).decode())
        if "client-certificate-data" not in user:
            raise ClustersError(
                "Azure gave a kubeconfig without a client certificate: are local accounts switched off by a policy of "
                "the subscription? Use one without that policy, or have an exemption made."
            )
        _identify(tls, _decoded(user["client-certificate-data"]), _decoded(user["client-key-data"]))
        return Access(host=str(server.hostname), port=server.port or 443, tls=tls, patience=patience)
    except (yaml.YAMLError, KeyError, TypeError, ValueError, StopIteration) as error:
        raise ClustersError(
            f"Azure gave a kubeconfig that cannot be used ({type(error).__name__}: {error}): "
            "see what `az aks get-credentials --file -` gives"
        ) from error


def _named(document: Any, kind: str, name: str) -> dict[str, Any]:  # noqa: ANN401 - parsed YAML
    found: dict[str, Any] = next(each for each in document[f"{kind}s"] if each["name"] == name)[kind]
    return found


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("certificates are not base64") from error


def _identify(tls: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Present a certificate; the ssl module reads it from files alone, so they are there for a moment."""
    with tempfile.TemporaryDirectory(prefix="build-conformance-") as name:
        pair = Path(name) / "pair.pem"
        pair.touch(mode=0o600)
        pair.write_bytes(certificate + b"\n" + key)
        tls.load_cert_chain(pair)
