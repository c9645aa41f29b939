"""`conformance doctor`, as a person types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Self

import pytest
from click.testing import CliRunner, Result

from conformance import cli
from conformance.commands import doctor as command
from conformance.errors import ApiError, UsageError
from tests.conformance.doctor.site import Site, plain

WHERE = ("--namespace", "kit", "--service", "kit")
CLIENT = ("--client-namespace", "runners", "--client", "r/c")
TLS = ("--tls-ca", "/certs/ca.crt", "--tls-cert", "/certs/tls.crt", "--tls-key", "/certs/tls.key")
RUNNER = "/api/v1/namespaces/runners/pods/r"


class Api(Site):
    """The installation behind a kubeconfig."""

    connected: tuple[Path, str | None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def version(self) -> str:
        return "v1.35.4"


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    made = Api()
    made.objects[RUNNER] = {
        "metadata": {"name": "r"},
        "spec": {"containers": [{"name": "c"}, {"name": "d"}]},
        "status": {"containerStatuses": [{"name": "c", "state": {"running": {}}}, {"name": "d", "state": {}}]},
    }

    def connect(path: Path, *, user_agent: str, context: str | None) -> Api:
        assert user_agent == "doctor"
        made.connected = (path, context)
        return made

    monkeypatch.setattr(command, "Kube", connect)
    return made


def run(*words: str) -> Result:
    return CliRunner().invoke(command.doctor_command, [*WHERE, *words])


def test_it_is_a_command_of_the_program() -> None:
    result = CliRunner().invoke(cli.group, ["doctor", "--help"])
    assert result.exit_code == 0
    assert "conformance doctor --namespace buildkit --service buildkitd" in result.output


def test_a_good_installation_ends_it_with_0(api: Api) -> None:
    result = run(*CLIENT, *TLS, "--platform", "linux/x86_64", "--pool", "pool=builders", "--cluster", "existing")
    assert result.exit_code == 0, result.output
    assert "all 6 gates passed" in result.stdout
    assert {argv[2] for argv in api.calls} == {"tcp://kit.kit.svc.cluster.local:1234", "tcp://10.0.0.2:1234"}


def test_a_gate_that_fails_ends_it_with_1_and_shows_class_and_remedy(api: Api) -> None:
    api.buildctl = plain
    result = run(*CLIENT)
    assert result.exit_code == 1
    assert "✘ 4 mtls" in result.stdout
    assert "class      buildkitd-no-authentication: " in result.stdout
    assert "remedy     Give the daemon --tlscacert" in result.stdout
    assert "- 5 platforms  not-reached" in result.stdout
    assert result.stdout.rstrip().endswith("first failing gate: mtls (buildkitd-no-authentication)")


def test_what_is_not_proven_ends_it_with_2(api: Api) -> None:
    assert api.calls == []
    result = run()
    assert result.exit_code == 2
    assert "not proven: reachable, mtls, platforms" in result.stdout


def test_json_has_every_gate(api: Api) -> None:
    api.denied["/api/v1/nodes"] = 'list resource "nodes" in API group "" at the cluster scope'
    result = run(*CLIENT, *TLS, "--format", "json")
    assert result.exit_code == 2
    report: dict[str, Any] = json.loads(result.stdout)
    assert (report["schema_version"], report["server"], report["client"]) == (1, "v1.35.4", "runners/r/c")
    assert [each["outcome"] for each in report["gates"]] == ["passed"] * 5 + ["unproven"]
    assert report["gates"][5]["missing_rights"] == ["list nodes"]


def test_text_of_the_cluster_does_not_reach_the_terminal_raw(api: Api) -> None:
    api.workload["metadata"]["name"] = "a\x1b[31m[bold]b"
    result = run()
    assert "\x1b" not in result.stdout
    assert "[bold]b" in result.stdout


def test_an_api_that_does_not_answer_ends_it_with_2(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(*_: object, **__: object) -> None:
        raise ApiError("the API server did not answer")

    monkeypatch.setattr(api, "fetch", fetch)
    result = run()
    assert isinstance(result.exception, ApiError)
    assert result.exception.exit_code == 2


def test_kubeconfig_and_context_choose_the_cluster(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = tmp_path / "mine"
    mine.touch()
    run("--kubeconfig", str(mine), "--context", "staging")
    seen = [api.connected]
    monkeypatch.setenv("KUBECONFIG", "/of/mine")
    run()
    assert [*seen, api.connected] == [(mine, "staging"), (Path("/of/mine"), None)]


def test_a_client_whose_pod_may_not_be_read_is_asked_all_the_same(api: Api) -> None:
    api.denied[RUNNER] = 'get resource "pods" in API group "" in the namespace "runners"'
    assert run(*CLIENT, *TLS).exit_code == 0


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--client", "gone"), "--client gone: there is no such pod in namespace kit"),
        ((*CLIENT[:2], "--client", "r/e"), "it has c, d"),
        ((*CLIENT[:2], "--client", "r/d"), "the container does not run"),
        (("--client", "r/c/x/"), "want POD or POD/CONTAINER"),
        (("--client-namespace", "Runners"), "--client-namespace Runners: this is no name in Kubernetes"),
        (("--tls-ca", "/ca"), "name its pod with --client"),
        ((*CLIENT, *TLS[:4]), "belong together"),
        ((*CLIENT, *TLS[2:]), "need --tls-ca"),
        (("--platform", "arm64"), "--platform arm64: want OS/ARCHITECTURE"),
        (("--pool", "builders"), "--pool builders: want LABEL=VALUE"),
        (("--cluster", "embedded"), "looks at what runs already"),
        (("--kubeconfig", "nothere"), "--kubeconfig nothere: there is no such file"),
        (("--addr", "unix:///x"), "want tcp://HOST:PORT"),
    ],
)
def test_bad_input_is_told_and_ends_it_with_3(api: Api, words: tuple[str, ...], why: str) -> None:
    result = run(*words)
    assert isinstance(result.exception, UsageError), result.output
    assert why in str(result.exception)
    assert result.exception.exit_code == 3
    assert api.calls == []


def test_several_faults_are_told_at_once(api: Api) -> None:
    result = run("--pool", "x", "--platform", "y")
    assert isinstance(result.exception, UsageError)
    assert len(result.exception.faults) == 2
    assert api.connected is None
