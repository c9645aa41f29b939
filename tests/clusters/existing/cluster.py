"""A cluster that stands already, imitated over real HTTP: namespaces that go away after a look, rights, a version."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

from clusters.tags import RUN_LABEL

TOKEN = "the-secret-token"  # noqa: S105 - of an imitation


class FakeCluster:
    """What it has and what it was asked."""

    def __init__(self) -> None:
        self.version = "v1.35.4-vendor.1"
        self.refused: set[tuple[str, str]] = set()
        self.namespaces: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, str]] = []
        self.stuck: set[str] = set()
        self.knows_us = True
        self.ignores_selectors = False

    def add(self, name: str, run_id: str | None = None) -> None:
        labels = {RUN_LABEL: run_id} if run_id is not None else {}
        self.namespaces[name] = {"metadata": {"name": name, "labels": labels}, "status": {}}

    @property
    def changes(self) -> list[tuple[str, str]]:
        """Return what changed something: not questions about rights."""
        return [call for call in self.calls if call[0] != "GET" and "selfsubjectaccessreviews" not in call[1]]

    def answer(  # noqa: PLR0911 - one for each address
        self, method: str, target: str, body: dict[str, Any]
    ) -> tuple[int, dict[str, Any]]:
        url = urlsplit(target)
        self.calls.append((method, url.path))
        if not self.knows_us:
            return 401, {"message": "Unauthorized"}
        match method, url.path:
            case "GET", "/version":
                return 200, {"gitVersion": self.version}
            case "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews":
                asked = body["spec"]["resourceAttributes"]
                resource = f"{asked['resource']}/{asked['subresource']}".rstrip("/")
                return 201, {"status": {"allowed": (asked["verb"], resource) not in self.refused}}
            case "GET", "/api/v1/namespaces":
                return 200, {"items": self._selected(parse_qs(url.query).get("labelSelector", [""])[0])}
            case "GET", "/api/v1/nodes":
                return 200, {"items": [{"status": {"nodeInfo": {"kubeletVersion": "v1.35.4"}}}]}
            case "DELETE", path:
                name = path.rpartition("/")[2]
                if name not in self.stuck:
                    self.namespaces.pop(name, None)
                return 200, {}
            case _:
                return 200, {"items": []}

    def _selected(self, selector: str) -> list[dict[str, Any]]:
        key, _, value = selector.partition("=")
        found = [each for each in self.namespaces.values() if key in each["metadata"]["labels"]]
        if self.ignores_selectors:
            return list(self.namespaces.values())
        return [each for each in found if not value or each["metadata"]["labels"][key] == value]


@contextmanager
def served(cluster: FakeCluster, kubeconfig: Path) -> Iterator[FakeCluster]:
    """Serve it for the length of a block, and write a kubeconfig with a context `there` for it."""

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size) or b"{}")
            status, said = cluster.answer(self.command, self.path, body)
            data = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_DELETE = _do  # noqa: N815 - the names that http.server looks for

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    write_kubeconfig(kubeconfig, f"http://127.0.0.1:{server.server_port}")
    try:
        yield cluster
    finally:
        server.shutdown()
        server.server_close()


def write_kubeconfig(path: Path, server: str, *, context: str = "there", current: str = "") -> None:
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": TOKEN}}],
        "contexts": [{"name": context, "context": {"cluster": "c", "user": "u"}}],
        "current-context": current,
    }
    path.write_text(yaml.safe_dump(document))
