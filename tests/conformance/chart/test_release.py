from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.chart import ChartInfo, install, limits, release, render, uninstall
from conformance.errors import HelmError

#: The fixture of conftest.py.
MakeHelm = Callable[..., Any]

CHART = ChartInfo(name="c", version="1", app_version="", path=Path("/c"), digest="", source="/c")
REVISION = json.dumps({"name": "r", "version": 1, "info": {"status": "deployed", "notes": "Try it."}})


def test_render_tells_helm_the_values_and_the_kubernetes_line(make_helm: MakeHelm) -> None:
    fake = make_helm(stdout="---\nkind: A\n---\n---\nkind: B\n")
    assert render(CHART, {"k": {"v": 1}}, release="r", namespace="n", kubernetes="1.34") == [
        {"kind": "A"},
        {"kind": "B"},
    ]
    (call,) = fake.calls
    assert call["argv"][:3] == ["template", "r", "/c"]
    assert call["argv"][call["argv"].index("--kube-version") + 1] == "1.34"
    assert call["argv"][call["argv"].index("--namespace") + 1] == "n"
    assert json.loads(call["stdin"]) == {"k": {"v": 1}}


def test_install_does_not_wait_and_keeps_the_warnings(make_helm: MakeHelm, tmp_path: Path) -> None:
    fake = make_helm(stdout=REVISION, stderr="W1121 Warning: would violate PodSecurity\n")
    said = install(CHART, {}, release="r", namespace="n", kubeconfig=tmp_path / "kc")
    assert said == "W1121 Warning: would violate PodSecurity\nr revision 1: deployed\nTry it.\n"
    (call,) = fake.calls
    assert not {"--wait", "--atomic", "--create-namespace", "--no-hooks"} & set(call["argv"])
    assert call["argv"][-2:] == ["--kubeconfig", str(tmp_path / "kc")]


def test_post_renderer_reaches_helm_with_its_arguments(make_helm: MakeHelm, tmp_path: Path) -> None:
    fake = make_helm(stdout=REVISION)
    install(CHART, {}, release="r", namespace="n", kubeconfig=tmp_path, post_renderer=("/patch", "-x", "y z"))
    flags = {"--post-renderer=/patch", "--post-renderer-args=-x", "--post-renderer-args=y z"}
    assert flags <= set(fake.calls[0]["argv"])


def test_helm_neither_reads_nor_changes_the_users_configuration(
    make_helm: MakeHelm, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake = make_helm()
    for name in ("HELM_DEBUG", "HELM_NAMESPACE", "HELM_REPOSITORY_CONFIG", "KUBECONFIG"):
        monkeypatch.setenv(name, "users")
    monkeypatch.setenv("HTTPS_PROXY", "kept")
    render(CHART, {}, release="r", namespace="n")
    env = fake.calls[0]["env"]
    assert "users" not in env.values()
    assert env["HTTPS_PROXY"] == "kept"
    homes = [env[f"HELM_{kind}_HOME"] for kind in ("CACHE", "CONFIG", "DATA")]
    assert all(Path(home).is_relative_to(tmp_path / "cache") for home in homes)
    assert env["KUBECACHEDIR"] == "/dev/null"


def test_failure_keeps_all_that_helm_said(make_helm: MakeHelm) -> None:
    text = "".join(f"line {number}\n" for number in range(100))
    make_helm(stdout="half\n", stderr=text, code=1)
    with pytest.raises(HelmError, match="helm template ended with 1: line 0") as caught:
        render(CHART, {}, release="r", namespace="n")
    assert caught.value.output == "half\n" + text
    assert caught.value.returncode == 1


def test_helm_that_hangs_is_ended_at_its_limit(make_helm: MakeHelm, monkeypatch: pytest.MonkeyPatch) -> None:
    make_helm(do="time.sleep(60)")
    monkeypatch.setattr(release, "LIMITS", limits.HelmLimits(template=0.5))
    with pytest.raises(HelmError, match="did not end within") as caught:
        render(CHART, {}, release="r", namespace="n")
    assert caught.value.returncode is None


def test_uninstall_of_what_is_not_there_is_no_error(make_helm: MakeHelm, tmp_path: Path) -> None:
    make_helm(stderr="Error: uninstall: Release not loaded: r: release: not found\n", code=1)
    uninstall(release="r", namespace="n", kubeconfig=tmp_path)


def test_uninstall_that_fails_otherwise_is_an_error(make_helm: MakeHelm, tmp_path: Path) -> None:
    make_helm(stderr="Error: Kubernetes cluster unreachable\n", code=1)
    with pytest.raises(HelmError, match="unreachable"):
        uninstall(release="r", namespace="n", kubeconfig=tmp_path)
