"""`conformance admit`, as a person types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from clusters import providers
from clusters.errors import ClusterFailedError
from clusters.provider import Capability, Cluster, ClusterSpec, Lease, Progress, Provenance
from conformance import chart, cli
from conformance.commands import admit
from conformance.errors import ApiError, ConformanceError, HelmError, UsageError
from tests.conformance.apiserver import Server

GOOD = {"kind": "Pod", "metadata": {"name": "good"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
BAD = {
    "kind": "Deployment",
    "metadata": {"name": "bad"},
    "spec": {
        "template": {"spec": {"containers": [{"name": "app", "image": "i", "securityContext": {"privileged": True}}]}}
    },
}


class FakeProvider:
    """Where the cluster comes from; remembers what it was told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls: list[str] = []
        self.fails: BaseException | None = None

    def why_unavailable(self) -> str | None:
        return None

    def prepare(self, spec: ClusterSpec, progress: Progress) -> None:
        self.calls.append(f"prepare {spec.kubernetes}")
        progress("preparing")

    def create(self, spec: ClusterSpec, progress: Progress) -> Cluster:
        del progress
        self.calls.append(f"create {spec.kubernetes}")
        if self.fails is not None:
            raise self.fails
        return Cluster(
            name=spec.name,
            provider="embedded",
            run_id=spec.run_id,
            kubeconfig=self.folder / "made",
            kubernetes=spec.kubernetes,
            provenance=Provenance.GENUINE,
            capabilities=frozenset(Capability),
            images={},
        )

    def delete(self, name: str) -> None:
        assert name.startswith("admit-")
        self.calls.append("delete")

    def collect_logs(self, name: str, into: Path) -> None:
        (into / "kubelet.log").write_text(name)
        self.calls.append("logs")

    def list_leases(self) -> tuple[Lease, ...]:
        return ()


class Bench:
    """The command with fakes at its seams."""

    def __init__(self, folder: Path, provider: FakeProvider) -> None:
        self.folder = folder
        self.provider = provider
        self.server = Server()
        #: (kubeconfig, context) of each connection.
        self.connected: list[tuple[Path, str | None]] = []

    def connect(self, kubeconfig: Path, *, user_agent: str, context: str | None = None) -> Server:
        assert user_agent == "admit"
        self.connected.append((kubeconfig, context))
        return self.server

    def write(self, *objects: dict[str, Any], name: str = "pods.yaml") -> str:
        path = self.folder / name
        path.write_text(yaml.safe_dump_all(objects))
        return str(path)

    def run(self, *words: str, stdin: str = "") -> Result:
        return CliRunner().invoke(admit.admit_command, words, input=stdin)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    provider = FakeProvider(tmp_path)
    made = Bench(tmp_path, provider)
    monkeypatch.setattr(providers, "PROVIDERS", {"embedded": provider})
    monkeypatch.setattr(admit, "Kube", made.connect)
    monkeypatch.setenv("BUILD_CONFORMANCE_STATE_DIR", str(tmp_path / "state"))
    return made


def test_it_is_a_command_of_the_program() -> None:
    result = CliRunner().invoke(cli.group, ["admit", "--help"])
    assert result.exit_code == 0
    assert "conformance admit pod.yaml --psa baseline" in result.output


def test_admitted_pods_end_it_with_0_on_a_cluster_that_is_deleted(bench: Bench) -> None:
    result = bench.run(bench.write(GOOD))
    assert result.exit_code == 0, result.output
    assert "3 answers: 3 admitted, 0 refused" in result.stdout
    assert bench.provider.calls == ["prepare 1.35", "create 1.35", "delete"]
    assert bench.connected == [(bench.folder / "made", None)]
    assert bench.server.namespaces == {}


def test_a_refusal_ends_it_with_1_and_names_container_check_and_demand(bench: Bench) -> None:
    result = bench.run(bench.write(GOOD, BAD), "--psa", "baseline")
    assert result.exit_code == 1
    (line,) = [line for line in result.stdout.splitlines() if "Deployment/bad" in line]
    words = line.split()
    assert words[:5] == ["Deployment/bad", "baseline@latest", "refused", "app", "privileged"]
    assert line.rstrip().endswith("must not set securityContext.privileged=true")
    assert "2 answers: 1 admitted, 1 refused" in result.stdout


def test_json_has_every_part_of_every_answer(bench: Bench) -> None:
    result = bench.run(bench.write(GOOD, BAD), "--psa", "baseline@v1.34", "--json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert report["schema_version"] == 1
    assert report["server"] == "v1.35.4"
    good, bad = report["answers"]
    assert (good["workload"], good["level"], good["verdict"], good["refused_by"]) == (
        "Pod/good",
        "baseline@v1.34",
        "admitted",
        None,
    )
    assert (bad["verdict"], bad["refused_by"]) == ("refused", "pod-security")
    (violation,) = bad["violations"]
    assert violation["reason"] == "privileged"
    assert violation["detail"] == 'container "app" must not set securityContext.privileged=true'
    assert violation["clauses"][0]["containers"] == ["app"]
    assert violation["clauses"][0]["fields"] == ["securityContext.privileged"]


def test_a_manifest_comes_from_standard_input_too(bench: Bench) -> None:
    result = bench.run("-", "--psa", "baseline", stdin=json.dumps(BAD))
    assert result.exit_code == 1
    assert "Deployment/bad" in result.stdout


def test_a_cluster_there_is_is_asked_and_none_is_made(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    source = bench.write(GOOD)
    mine = bench.write({}, name="mine")
    assert bench.run(source, "--kubeconfig", mine, "--context", "staging").exit_code == 0
    monkeypatch.setenv("KUBECONFIG", "/of/mine")
    assert bench.run(source, "--context", "staging").exit_code == 0
    assert bench.connected == [(Path(mine), "staging"), (Path("/of/mine"), "staging")]
    assert bench.provider.calls == []
    assert bench.server.namespaces == {}


def test_where_pod_security_is_not_in_force_it_ends_with_2_and_answers_nothing(bench: Bench) -> None:
    bench.server.policy = lambda _pod, _level: None
    result = bench.run(bench.write(GOOD), "--psa", "baseline")
    assert isinstance(result.exception, ApiError)
    assert result.exception.exit_code == 2
    assert "admitted" not in result.stdout
    assert bench.provider.calls[-1] == "delete"


def test_a_pod_that_pod_security_spares_ends_it_with_2(bench: Bench) -> None:
    bench.server.policy = lambda pod, _level: (
        None
        if "runtimeClassName" in pod["spec"]
        else 'pods "p" is forbidden: violates PodSecurity "baseline:latest": privileged (x)'
    )
    spared = {**GOOD, "spec": {**GOOD["spec"], "runtimeClassName": "kata"}}  # type: ignore[dict-item]
    result = bench.run(bench.write(spared), "--psa", "baseline")
    assert result.exit_code == 2
    assert "1 exempt, so not checked" in result.stdout


def test_other_refusals_warnings_and_notes_are_shown(bench: Bench) -> None:
    bench.server.errors["bad"] = ApiError('pods "bad" is forbidden: exceeded quota: q, requested: pods=1', status=403)
    spec = {**GOOD["spec"], "serviceAccountName": "app"}  # type: ignore[dict-item]
    result = bench.run(bench.write({**GOOD, "spec": spec}, BAD), "--psa", "baseline")
    assert result.exit_code == 1
    assert "quota" in result.stdout
    assert "exceeded quota: q, requested: pods=1" in result.stdout
    assert "Deployment/bad: resource-quota-exceeded: Raise the quota" in result.stdout
    assert "Pod/good: asked without serviceAccountName: app" in result.stdout


def test_what_a_name_holds_does_not_reach_the_terminal_raw(bench: Bench) -> None:
    odd = {**GOOD, "metadata": {"name": "a\x1b[31m[bold]b"}}
    result = bench.run(bench.write(odd), "--psa", "baseline")
    assert "\x1b" not in result.stdout
    assert "[bold]b" in result.stdout


def test_containers_in_a_place_that_is_not_known_end_it_with_3_whatever_else_was_admitted(bench: Bench) -> None:
    odd = {"kind": "ScaledJob", "metadata": {"name": "s"}, "spec": {"job": GOOD["spec"]}}
    result = bench.run(bench.write(GOOD, odd), "--psa", "baseline")
    assert result.exit_code == 3
    assert "not asked about: ScaledJob/s" in result.stderr
    assert "1 admitted" in result.stdout


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["nothere.yaml"], "nothere.yaml cannot be read: No such file"),
        (["-"], "standard input: there is no pod in it"),
        (["-", "--psa", "baselin"], "did you mean 'baseline'"),
        (["-", "--psa", "baseline@1.34"], "no policy version"),
        (["-", "--values", "x.yaml"], "x.yaml cannot be read"),
        (["-", "--context", "c", "--cluster", "embedded"], "name a cluster there is"),
        (["-", "--kubeconfig", "nothere", "--kubernetes", "1.34"], "name a cluster there is"),
        (["-", "--kubeconfig", "nothere"], "--kubeconfig nothere: there is no such file"),
        (["folder"], "it has no Chart.yaml"),
    ],
)
def test_bad_input_is_refused_before_anything_is_made(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, words: list[str], why: str
) -> None:
    monkeypatch.chdir(bench.folder)
    (bench.folder / "folder").mkdir()
    result = bench.run(*words)
    assert isinstance(result.exception, UsageError)
    assert why in str(result.exception)
    assert result.exception.exit_code == 3
    assert bench.provider.calls == []
    assert bench.connected == []


def test_values_for_what_is_no_chart_and_a_policy_newer_than_the_server_are_refused(bench: Bench) -> None:
    source = bench.write(GOOD)
    values = bench.write({"a": 1}, name="values.yaml")
    for words, why in (
        (("--values", values), "is for a chart"),
        (("--psa", "baseline@v1.36"), "silently use its own newest policy, v1.35"),
        (("--psa", "baseline@v1.36", "--kubeconfig", values), "silently use its own newest policy, v1.35"),
    ):
        result = bench.run(source, *words)
        assert isinstance(result.exception, UsageError)
        assert why in str(result.exception)
    assert bench.provider.calls == []
    assert bench.run(source, "--psa", "baseline@v1.36", "--kubernetes", "1.36").exit_code == 0


def test_a_chart_is_rendered_with_its_values_for_the_clusters_line(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = bench.folder / "mychart"
    folder.mkdir()
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: mychart\nversion: 1.0.0\n")
    rendered: list[tuple[object, ...]] = []

    def render(info: chart.ChartInfo, values: object, *, release: str, namespace: str, kubernetes: str) -> list[object]:
        rendered.append((info.name, values, release, namespace, kubernetes))
        return [GOOD]

    monkeypatch.setattr(chart, "render", render)
    values = bench.write({"replicas": 3}, name="values.yaml")
    words = (str(folder), "--psa", "baseline", "--values", values)
    assert bench.run(*words, "--kubernetes", "1.34").exit_code == 0
    assert bench.run(*words, "--kubeconfig", values).exit_code == 0
    assert [each[:4] for each in rendered] == [("mychart", {"replicas": 3}, "mychart", "default")] * 2
    assert [each[4] for each in rendered] == ["1.34", "1.35.4"]


def test_a_chart_that_does_not_render_is_bad_input(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = bench.folder / "mychart"
    folder.mkdir()
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: mychart\nversion: 1.0.0\n")

    def render(*_: object, **__: object) -> list[object]:
        raise HelmError("values do not meet the schema")

    monkeypatch.setattr(chart, "render", render)
    result = bench.run(str(folder))
    assert isinstance(result.exception, UsageError)
    assert "does not render: values do not meet the schema" in str(result.exception)
    assert bench.provider.calls == ["prepare 1.35"]


@pytest.mark.parametrize(
    "error", [ClusterFailedError("x", "kubelet", "no cgroups"), KeyboardInterrupt(), RuntimeError("bug")]
)
def test_a_cluster_that_fails_half_way_is_deleted(bench: Bench, error: BaseException) -> None:
    bench.provider.fails = error
    result = bench.run(bench.write(GOOD))
    assert result.exit_code != 0
    assert bench.provider.calls[-1] == "delete"
    assert ("logs" in bench.provider.calls) is isinstance(error, ClusterFailedError)


def test_a_cluster_that_cannot_be_deleted_is_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def delete(_: str) -> None:
        raise ClusterFailedError("x", "delete", "busy")

    monkeypatch.setattr(bench.provider, "delete", delete)
    result = bench.run(bench.write(GOOD), "--psa", "baseline")
    assert isinstance(result.exception, ConformanceError)
    assert "python -m clusters janitor" in str(result.exception)
