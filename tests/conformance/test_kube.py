from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from conformance.errors import ApiError
from conformance.kube import Kube


class Server(ThreadingHTTPServer):
    """An API server that gives the answers it was told to and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, tuple[int, object, list[str]]] = {}
        self.asked: list[tuple[str, str, bytes, str]] = []
        self.credentials: list[str | None] = []
        self.lines: list[str] = []

    def will(self, path: str, body: object, *, status: int = 200, warnings: tuple[str, ...] = ()) -> None:
        self.answers[path] = (status, body, list(warnings))


class Handler(BaseHTTPRequestHandler):
    server: Server

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, _ = self.path.partition("?")
        self.server.asked.append((self.command, self.path, body, self.headers.get("User-Agent") or ""))
        self.server.lines.append(self.path)
        self.server.credentials.append(self.headers.get("Authorization"))
        status, answer, warnings = self.server.answers[path]
        raw = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
        self.send_response(status)
        for warning in warnings:
            quoted = warning.replace('"', '\\"')
            self.send_header("Warning", f'299 - "{quoted}"')
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - the names http.server looks for

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def kubeconfig(folder: Path, port: int, **user: str) -> Path:
    path = folder / "kubeconfig"
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.fixture
def kube(server: Server, tmp_path: Path) -> Kube:
    return Kube(kubeconfig(tmp_path, server.server_port), user_agent="cell/some-cell")


def test_objects_keep_fields_that_no_client_knows(server: Server, kube: Kube) -> None:
    pod = {"metadata": {"name": "p"}, "spec": {"someFutureField": {"deep": [1]}}}
    server.will("/api/v1/namespaces/ns/pods/p", pod)
    assert kube.pod("ns", "p") == pod


def test_a_dry_run_says_so_and_keeps_warnings(server: Server, kube: Kube) -> None:
    server.will("/api/v1/namespaces/ns/pods", {"kind": "Pod"}, status=201, warnings=('would violate "x"', "second"))
    answer = kube.create_pod("ns", {"metadata": {"name": "p"}}, dry_run=True)
    assert "dryRun=All" in server.asked[0][1]
    assert answer.warnings == ('would violate "x"', "second")


def test_requests_name_the_cell(server: Server, kube: Kube) -> None:
    server.will("/api/v1/nodes", {"items": []})
    kube.nodes()
    assert "cell/some-cell" in server.asked[0][3]


def test_requests_carry_the_kubeconfigs_credentials(server: Server, tmp_path: Path) -> None:
    server.will("/version", {"gitVersion": "v1.35.4"})
    kube = Kube(kubeconfig(tmp_path, server.server_port, token="abc"), user_agent="x")  # noqa: S106 - of no server
    assert kube.version() == "v1.35.4"
    server.will("/api/v1/namespaces/ns/pods/p/exec", {"message": "no"}, status=403)
    with pytest.raises(ApiError):
        kube.execute("ns", "p", "c", ["true"], within=5)
    assert server.credentials == ["Bearer abc", "Bearer abc"]


def test_a_command_is_asked_for_word_by_word(server: Server, kube: Kube) -> None:
    server.will("/api/v1/namespaces/ns/pods/p/exec", {"message": "no"}, status=403)
    with pytest.raises(ApiError):
        kube.execute("ns", "p", "c", ["sh", "-c", "echo 'a&b' \"$x\"\necho c"], within=5)
    query = parse_qs(urlsplit(server.lines[-1]).query)
    assert query["command"] == ["sh", "-c", "echo 'a&b' \"$x\"\necho c"]
    assert (query["container"], query["stdout"], query["stderr"]) == (["c"], ["true"], ["true"])


def test_a_refusal_keeps_status_reason_and_message(server: Server, kube: Kube) -> None:
    refusal = {"kind": "Status", "message": 'pods "p" is forbidden: violates PodSecurity', "reason": "Forbidden"}
    server.will("/api/v1/namespaces/ns/pods", refusal, status=403)
    with pytest.raises(ApiError, match="violates PodSecurity") as caught:
        kube.create_pod("ns", {})
    assert (caught.value.status, caught.value.reason) == (403, "Forbidden")


def test_what_is_not_there_is_none_and_deleting_it_is_no_error(server: Server, kube: Kube) -> None:
    gone = {"kind": "Status", "message": "not found", "reason": "NotFound"}
    server.will("/api/v1/namespaces/ns/pods/p", gone, status=404)
    assert kube.pod("ns", "p") is None
    kube.delete_pod("ns", "p")


def test_other_errors_than_not_found_are_raised_on_deletion(server: Server, kube: Kube) -> None:
    server.will("/api/v1/namespaces/ns", {"message": "no", "reason": "Forbidden"}, status=403)
    with pytest.raises(ApiError):
        kube.delete_namespace("ns")


def test_a_log_that_cannot_be_read_is_none(server: Server, kube: Kube) -> None:
    path = "/api/v1/namespaces/ns/pods/p/log"
    server.will(path, "unable to retrieve container logs for containerd://abc")
    assert kube.logs("ns", "p", "c") is None
    server.will(path, "line one\nline two\n")
    assert kube.logs("ns", "p", "c") == "line one\nline two\n"


def test_a_server_that_does_not_answer_is_an_api_error(tmp_path: Path) -> None:
    with Server() as closed:
        port = closed.server_port
    with pytest.raises(ApiError, match="did not answer") as caught:
        Kube(kubeconfig(tmp_path, port), user_agent="x").nodes()
    assert caught.value.status is None


def test_an_unreadable_kubeconfig_is_named(tmp_path: Path) -> None:
    path = tmp_path / "absent"
    with pytest.raises(ApiError, match="absent"):
        Kube(path, user_agent="x")


def test_an_object_is_sent_as_it_is_whatever_the_client_knows_of_it(server: Server, kube: Kube) -> None:
    server.will("/api/v1/namespaces/ns/pods", {}, status=201)
    body = {"kind": "Pod", "spec": {"later": 1, "hostUsers": False, "containers": [{"name": 3, "mode": None}]}}
    kube.create_pod("ns", body, dry_run=True)
    assert json.loads(server.asked[-1][2]) == body


def test_a_command_that_is_refused_is_told_as_the_server_said_it(server: Server, kube: Kube) -> None:
    refusal = {"kind": "Status", "message": "container not found", "reason": "NotFound"}
    server.will("/api/v1/namespaces/ns/pods/p/exec", refusal, status=404)
    with pytest.raises(ApiError, match="container not found") as caught:
        kube.execute("ns", "p", "c", ["true"], within=5)
    assert caught.value.status == 404


def test_a_command_for_a_server_that_does_not_answer_is_an_api_error(tmp_path: Path) -> None:
    with Server() as closed:
        port = closed.server_port
    with pytest.raises(ApiError, match=r"did not answer.*refused") as caught:
        Kube(kubeconfig(tmp_path, port), user_agent="x").execute("ns", "p", "c", ["true"], within=5)
    assert caught.value.status is None


def test_ctrl_c_while_a_command_is_started_is_no_error_of_the_server(
    kube: Kube, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("kubernetes.stream.ws_client.create_websocket", interrupt)
    with pytest.raises(KeyboardInterrupt):
        kube.execute("ns", "p", "c", ["true"], within=5)
