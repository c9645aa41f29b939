"""A small client for an embedded cluster's own API server: what standing it up needs, over http.client.

It never uses a proxy from the environment: the server is on the other end of our own veth pair or on the loopback.
"""

from __future__ import annotations

import http.client
import json
import ssl
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from clusters.embedded.orders import Api
from clusters.embedded.timeouts import TIMEOUTS
from clusters.errors import ClustersError


class ApiError(ClustersError):
    """The API server could not be reached or answered with an error."""

    def __init__(self, method: str, path: str, reason: str) -> None:
        """Name the request and what was wrong with the answer."""
        super().__init__(f"{method} {path} failed: {reason}")


def get(api: Api, path: str, *, timeout: float = TIMEOUTS.request) -> dict[str, Any] | None:
    """Return the object at an API path, None when there is none. Raises ApiError."""
    status, body = _request(api, "GET", path, None, timeout)
    match status:
        case HTTPStatus.OK:
            return _object(body)
        case HTTPStatus.NOT_FOUND:
            return None
        case _:
            raise ApiError("GET", path, f"{status} {body[:500].decode(errors='replace')}")


def create(api: Api, path: str, body: dict[str, Any], *, timeout: float = TIMEOUTS.request) -> None:
    """Create an object below an API path; one that exists already is left alone. Raises ApiError."""
    status, answer = _request(api, "POST", path, body, timeout)
    if status not in {HTTPStatus.CREATED, HTTPStatus.OK, HTTPStatus.CONFLICT}:
        raise ApiError("POST", path, f"{status} {answer[:500].decode(errors='replace')}")


def _object(body: bytes) -> dict[str, Any]:
    value = json.loads(body)
    return value if isinstance(value, dict) else {}


def _request(api: Api, method: str, path: str, body: object, timeout: float) -> tuple[int, bytes]:
    connection = http.client.HTTPSConnection(api.host, api.port, timeout=timeout, context=_tls(api))
    headers = {"Accept": "application/json", "User-Agent": "build-conformance-embedded"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    try:
        connection.request(method, path, body=None if body is None else json.dumps(body), headers=headers)
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException) as error:
        raise ApiError(method, path, str(error) or type(error).__name__) from error
    finally:
        connection.close()


@lru_cache(maxsize=8)
def _tls(api: Api) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(api.ca))
    context.load_cert_chain(api.certificate, api.key)
    return context
