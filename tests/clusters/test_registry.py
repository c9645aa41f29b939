from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from clusters import registry, upstream_images
from clusters.errors import UsageError
from clusters.provider import ImageRole
from clusters.registry import RegistryError

DIGEST = "sha256:" + "0123456789abcdef" * 4
OTHER = "sha256:" + "f" * 64


class _Registry(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Stay quiet."""

    def do_GET(self) -> None:
        allowed = "service=here" in self.path and "scope=repository" in self.path
        self._answer(200, json.dumps({"token": "let me in" if allowed else "no"}).encode())

    def do_HEAD(self) -> None:
        port = self.headers["Host"].rpartition(":")[2]
        if self.path.startswith("/v2/closed/"):
            scope = 'service="here",scope="repository:closed:pull"'
            if self.headers.get("Authorization") != "Bearer let me in":
                self._answer(401, b"", {"WWW-Authenticate": f'Bearer realm="http://127.0.0.1:{port}/token",{scope}'})
                return
        found = {"/v2/closed/x/manifests/1": DIGEST, "/v2/open/manifests/latest": DIGEST, "/v2/odd/manifests/1": "?"}
        if self.path not in found or "vnd.oci.image.index" not in self.headers.get("Accept", ""):
            self._answer(404, b"")
            return
        self._answer(200, b"", {"Docker-Content-Digest": found[self.path]})

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Registry)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_an_open_registry_says_what_a_tag_means(address: str) -> None:
    assert registry.digest_of(f"{address}/open") == DIGEST


def test_a_registry_that_wants_a_token_is_given_one(address: str) -> None:
    assert registry.digest_of(f"{address}/closed/x:1") == DIGEST


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("{}/absent:1", "HTTP Error 404"),
        ("{}/odd:1", "its answer has no digest"),
        ("127.0.0.1:1/x:1", "Connection refused"),
        ("x:1", "no full image reference"),
    ],
)
def test_what_a_registry_does_not_say_is_told(address: str, reference: str, said: str) -> None:
    with pytest.raises(RegistryError, match=said):
        registry.digest_of(reference.format(address))


def test_images_of_a_file_of_ones_own_go_first_and_are_pinned(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "images.toml"
    own.write_text(
        f'[app]\nreference = "{address}/open"\norigin = "us"\n'
        f'[buildkit-rootful]\nreference = "{address}/gone:1"\norigin = "us"\n'
        f'[fixtures]\nreference = "example.com/fixtures:1@{OTHER}"\norigin = "us"\n'
    )
    monkeypatch.setenv(upstream_images.VARIABLE, str(own))
    said: list[str] = []
    wanted = frozenset({ImageRole.APP, ImageRole.BUILDKIT_ROOTFUL, ImageRole.FIXTURES})
    images = upstream_images.resolve(upstream_images.require(wanted), said.append)
    assert images[ImageRole.APP].reference == f"{address}/open@{DIGEST}"
    assert images[ImageRole.APP].digest == DIGEST
    assert images[ImageRole.FIXTURES].digest == OTHER
    assert (images[ImageRole.BUILDKIT_ROOTFUL].reference, images[ImageRole.BUILDKIT_ROOTFUL].digest) == (
        f"{address}/gone:1",
        "",
    )
    assert len(said) == 1
    assert "keeps its tag" in said[0]


def test_a_role_without_an_image_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(upstream_images.VARIABLE, raising=False)
    with pytest.raises(UsageError, match=r"images app, fixtures: push them .*\[app\]"):
        upstream_images.require(frozenset({ImageRole.APP, ImageRole.FIXTURES, ImageRole.BUILDKIT_ROOTLESS}))


@pytest.mark.parametrize("text", ["[nobody]\nreference='example.com/a:1'\norigin='x'", "[app]\nreference='app:1'", "["])
def test_a_file_that_holds_no_images_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    own = tmp_path / "mine.toml"
    own.write_text(text)
    monkeypatch.setenv(upstream_images.VARIABLE, str(own))
    with pytest.raises(UsageError, match=r"mine\.toml does not hold images"):
        upstream_images.load()
