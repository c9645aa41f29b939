"""Looks at whether a step is ready: one look each, quick, never raising for "not yet"."""

from __future__ import annotations

import http.client
import socket
import ssl
from http import HTTPStatus
from pathlib import Path
from typing import assert_never
from urllib.parse import urlsplit

from clusters.embedded import api, dns
from clusters.embedded.orders import Api, Kind, Ready
from clusters.embedded.timeouts import TIMEOUTS


def is_ready(ready: Ready, server: Api) -> bool:  # noqa: PLR0911 - one for each kind
    """Look once. EXIT is never ready by looking: the end of the process says it."""
    match ready.kind:
        case Kind.EXIT:
            return False
        case Kind.NOTHING:
            return True
        case Kind.SOCKET:
            return _accepts(ready.target)
        case Kind.HTTP:
            return _answers(ready.target)
        case Kind.OBJECT:
            return _object(server, ready.target) is not None
        case Kind.NODE_READY:
            return _node_is_ready(server, ready.target)
        case Kind.LOGGED:
            return _holds(Path(ready.target), ready.text)
        case Kind.DNS:
            return dns.answers(ready.target, timeout=TIMEOUTS.question)
        case _:
            assert_never(ready.kind)


def _accepts(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(TIMEOUTS.probe)
        try:
            client.connect(path)
        except OSError:
            return False
        return True


def _answers(url: str) -> bool:
    parts = urlsplit(url)
    host = parts.hostname or ""
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        # Components serve health with a certificate they made for themselves, on the loopback of our own namespace.
        context = ssl._create_unverified_context()  # noqa: S323, SLF001
        connection = http.client.HTTPSConnection(host, parts.port, timeout=TIMEOUTS.probe, context=context)
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=TIMEOUTS.probe)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _holds(file: Path, text: str) -> bool:
    try:
        return text in file.read_text(errors="replace")
    except OSError:
        return False


def _object(server: Api, path: str) -> dict[str, object] | None:
    try:
        return api.get(server, path, timeout=TIMEOUTS.probe)
    except api.ApiError:
        return None


def _node_is_ready(server: Api, path: str) -> bool:
    node = _object(server, path) or {}
    status = node.get("status")
    conditions = status.get("conditions", []) if isinstance(status, dict) else []
    return any(condition.get("type") == "Ready" and condition.get("status") == "True" for condition in conditions)
