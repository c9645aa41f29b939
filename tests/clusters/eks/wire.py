"""A proxy before moto that records calls and breaks those it is told to break."""

from __future__ import annotations

import http.client
import json
import re
import sys
import threading
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

#: Operations of EKS by method and path; a path that is not here is recorded as it is, and counts as changing.
_REST = {
    ("POST", r"/clusters"): "create_cluster",
    ("GET", r"/clusters"): "list_clusters",
    ("GET", r"/clusters/[^/]+"): "describe_cluster",
    ("DELETE", r"/clusters/[^/]+"): "delete_cluster",
    ("POST", r"/clusters/[^/]+/node-groups"): "create_nodegroup",
    ("GET", r"/clusters/[^/]+/node-groups"): "list_nodegroups",
    ("GET", r"/clusters/[^/]+/node-groups/[^/]+"): "describe_nodegroup",
    ("DELETE", r"/clusters/[^/]+/node-groups/[^/]+"): "delete_nodegroup",
    ("GET", r"/cluster-versions"): "describe_cluster_versions",
}


class How(StrEnum):
    """How a call is broken."""

    #: Refused before it happens.
    DENY = "deny"
    #: Done, and its answer lost; every time it is repeated, too.
    LOSE = "lose"


@dataclass
class Answer:
    """An answer on its way back."""

    status: int
    body: bytes
    kind: str = "application/json"
    error: str | None = None


def refusal(code: str, message: str, status: int = 400) -> Answer:
    """Return an error in the form that EKS uses."""
    return Answer(status=status, body=json.dumps({"message": message}).encode(), error=code)


def query_refusal(code: str, message: str, status: int = 400) -> Answer:
    """Return an error in the form that EC2 uses."""
    error = f"<Code>{code}</Code><Message>{message}</Message>"
    body = f"<Response><Errors><Error>{error}</Error></Errors><RequestID>1</RequestID></Response>"
    return Answer(status=status, body=body.encode(), kind="text/xml")


#: Given the name of an operation: an answer in its place, or None to let it pass.
Instead = Callable[[str], Answer | None]
#: Given the name of an operation and the body of its answer: what it becomes.
Rewrite = Callable[[str, dict[str, Any]], None]


@dataclass
class Wire:
    """The proxy. `break_` breaks the n-th changing call; `instead` and `rewrites` apply to every call."""

    # `calls` has the changing ones in order, without the repetitions of one that is being lost.

    upstream: int
    calls: list[str] = field(default_factory=list)
    #: Every call, reads too.
    all_calls: list[str] = field(default_factory=list)
    bodies: list[tuple[str, str]] = field(default_factory=list)
    nth: int | None = None
    how: How | None = None
    #: The first answer to every changing call is lost.
    loses_each_once: bool = False
    instead: list[Instead] = field(default_factory=list)
    rewrites: list[Rewrite] = field(default_factory=list)
    #: Told before a changing call is passed on.
    on_change: list[Callable[[str], None]] = field(default_factory=list)
    port: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _losing: str | None = None
    _lost: set[tuple[str, str]] = field(default_factory=set)

    def __enter__(self) -> Self:
        wire: Wire = self

        class Handler(_Handler):
            owner = wire

        self._server = _Quiet(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def reset(self) -> None:
        """Break nothing any more, and forget what was recorded."""
        self.calls, self.all_calls, self.bodies = [], [], []
        self.nth, self.how, self._losing = None, None, None
        self.loses_each_once, self._lost = False, set()

    def break_(self, nth: int, how: How) -> None:
        """Break the n-th changing call from now on."""
        self.reset()
        self.nth, self.how = nth, how

    def note(self, operation: str, body: str) -> How | None:
        """Record a call; say how to break it."""
        with self._lock:
            self.all_calls.append(operation)
            self.bodies.append((operation, body))
            if is_reading(operation):
                return None
            if self._losing == operation:
                return How.LOSE
            hit = self.how if len(self.calls) == self.nth else None
            if hit is How.LOSE:
                self._losing = operation
            if self.loses_each_once and (operation, body) not in self._lost:
                self._lost.add((operation, body))
                hit = How.LOSE
            self.calls.append(operation)
        for told in self.on_change:
            told(operation)
        return hit


def is_reading(operation: str) -> bool:
    """Say whether an operation changes nothing."""
    return operation.startswith(("describe_", "list_", "get_"))


def snake(name: str) -> str:
    """Return an operation's name the way boto3 has it."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def operation_of(method: str, path: str, body: bytes) -> str:
    """Name the operation of a request."""
    found = re.search(rb"Action=(\w+)", body)
    if found is not None:
        return snake(found[1].decode())
    bare = urllib.parse.urlsplit(path).path
    named = (name for (verb, shape), name in _REST.items() if verb == method and re.fullmatch(shape, bare))
    return next(named, f"{method} {bare}")


class _Quiet(ThreadingHTTPServer):
    """Takes it that clients are killed while they are answered."""

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - socketserver's own types
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    owner: Wire
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Stay quiet."""

    def _serve(self) -> None:
        wire = self.owner
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        operation = operation_of(self.command, self.path, body)
        how = wire.note(operation, body.decode(errors="replace"))
        if how is How.DENY:
            self._answer(_denial(operation, body))
            return
        for instead in wire.instead:
            if (answer := instead(operation)) is not None:
                self._answer(answer)
                return
        answer = self._ask(body)
        if how is How.LOSE:
            self.close_connection = True
            self.connection.close()
            return
        if wire.rewrites and answer.status == http.HTTPStatus.OK and answer.kind.startswith("application/json"):
            content = json.loads(answer.body or b"{}")
            for rewrite in wire.rewrites:
                rewrite(operation, content)
            answer.body = json.dumps(content).encode()
        self._answer(answer)

    def _ask(self, body: bytes) -> Answer:
        upstream = http.client.HTTPConnection("127.0.0.1", self.owner.upstream)
        try:
            upstream.request(self.command, self.path, body, dict(self.headers))
            reply = upstream.getresponse()
            return Answer(
                status=reply.status,
                body=reply.read(),
                kind=reply.headers.get("Content-Type", ""),
                error=reply.headers.get("x-amzn-errortype"),
            )
        finally:
            upstream.close()

    def _answer(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.body)))
        if answer.error is not None:
            self.send_header("x-amzn-errortype", answer.error)
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _serve  # noqa: N815 - http.server calls these


def _denial(operation: str, body: bytes) -> Answer:
    if b"Action=" not in body:
        return refusal("AccessDeniedException", f"injected: no right to {operation}", status=403)
    if b"Version=2010-05-08" in body:
        error = f"<Error><Code>AccessDenied</Code><Message>injected: {operation}</Message></Error>"
        return Answer(status=403, body=f"<ErrorResponse>{error}</ErrorResponse>".encode(), kind="text/xml")
    return query_refusal("UnauthorizedOperation", f"injected: no right to {operation}", status=403)
