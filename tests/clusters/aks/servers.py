"""HTTPS servers that hand each request to a function and do with its answer what the tests want."""

from __future__ import annotations

import http.server
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from tests.clusters.aks.certificates import HOST


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    method: str
    #: With the query.
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    #: The connection ends instead: what was done is done, and nobody hears of it.
    is_lost: bool = False


Respond = Callable[[Request], Answer]


class _Server(http.server.ThreadingHTTPServer):
    # A test that fails must not wait for a connection that somebody keeps.
    daemon_threads = True
    block_on_close = False
    respond: Respond

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that go away, or that present no certificate, are what is tested."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    #: A client that keeps its connection and says nothing is let go of.
    timeout: ClassVar[float | None] = 20

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature is given
        """Say nothing."""

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(method=self.command, path=self.path, headers=dict(self.headers.items()), body=body)
        answer = self.server.respond(request)
        self.close_connection = answer.is_lost
        if answer.is_lost:
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        data = b"" if answer.body is None else json.dumps(answer.body).encode()
        self.send_response(answer.status)
        for key, value in {"Content-Type": "application/json", **answer.headers}.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = answer  # noqa: N815 - the names are given


@contextmanager
def serving(respond: Respond, pair: Path, *, clients: Path | None = None) -> Iterator[str]:
    """Serve while the block runs, and hand out the base URL; with `clients` only whom that authority signed for."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pair)
    if clients is not None:
        tls.verify_mode = ssl.CERT_REQUIRED
        tls.load_verify_locations(clients)
    server = _Server((HOST, 0), _Handler)
    server.respond = respond
    # The handshake is the handler's: nobody's waiting keeps the others.
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"https://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
