from __future__ import annotations

import json
from pathlib import Path

import pytest

from clusters.embedded.toolchain import update
from clusters.embedded.toolchain.tools import tools_named
from clusters.errors import UnavailableError
from tests.clusters.embedded.toolchain.machine import FACTS, Machine

_UPSTREAM = {
    "Go": "1.25.0",
    "GoDebug": [{"Key": "default", "Value": "go1.25"}],
    "Require": [{"Path": "a.com/b", "Version": "v1.2.3"}, {"Path": "k8s.io/api", "Version": "v0.0.0"}],
    "Exclude": [{"Path": "bad.com/c", "Version": "v1.0.0"}],
    "Replace": [{"Old": {"Path": "k8s.io/api"}, "New": {"Path": "./staging/src/k8s.io/api"}}],
}
_GO = r"""#!/bin/sh
here=$(dirname "$0")
case "$1 $2" in
"env "*) cat "$here/go-facts.json" ;;
"mod download") [ -f "$here/offline" ] && { cat "$here/offline"; exit 1; }
  echo "$4" >"$here/asked"; echo "{\"GoMod\": \"/cache/go.mod\", \"Dir\": \"$here/source\"}" ;;
"mod edit") echo "$4" >"$here/edited"; cat "$here/upstream.json" ;;
"mod tidy") echo tidied >>go.mod; echo sums >go.sum; ls >"$here/files" ;;
esac
"""


@pytest.fixture
def modules(machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    machine.script("go", _GO)
    machine.tell_go("go-facts.json", FACTS)
    machine.tell_go("upstream.json", json.dumps(_UPSTREAM))
    folder = tmp_path / "modules"
    folder.mkdir()
    monkeypatch.setattr(update, "MODULES", folder)
    return folder


def test_go_mod_says_what_the_main_module_of_the_tool_says(machine: Machine, modules: Path) -> None:
    update.update(tools_named(["kubernetes-1.34"]), progress=machine.said.append)
    text = (modules / "kubernetes-1.34" / "go.mod").read_text(encoding="utf-8")
    for line in (
        "module build-conformance.invalid/toolchain/kubernetes-1.34",
        "go 1.25.0",
        "godebug default=go1.25",
        "require k8s.io/kubernetes v1.34.4",
        "a.com/b v1.2.3 // indirect",
        "bad.com/c v1.0.0",
        "k8s.io/api => k8s.io/api v0.34.4",
        "k8s.io/kubernetes/cmd/kubelet",
        "tidied",
    ):
        assert line in text.splitlines()
    assert (modules / "kubernetes-1.34" / "go.sum").read_text(encoding="utf-8") == "sums\n"
    assert (machine.bin / "asked").read_text(encoding="utf-8") == "k8s.io/kubernetes@v1.34.4\n"
    assert not list(machine.cache.glob(".work"))


def test_own_main_program_is_resolved_with_its_imports(machine: Machine, modules: Path) -> None:
    (modules / "coredns").mkdir()
    (modules / "coredns" / "main.go").write_text("package main\n", encoding="utf-8")
    update.update(tools_named(["coredns"]), progress=machine.said.append)
    assert "main.go" in (machine.bin / "files").read_text(encoding="utf-8")
    assert "tool" not in (modules / "coredns" / "go.mod").read_text(encoding="utf-8").split()


def test_requirements_are_read_from_a_vendor_mod_where_there_is_one(machine: Machine, modules: Path) -> None:
    update.update(tools_named(["helm"]), progress=machine.said.append)
    assert (machine.bin / "edited").read_text(encoding="utf-8") == "/cache/go.mod\n"
    (machine.bin / "source").mkdir()
    (machine.bin / "source" / "vendor.mod").touch()
    update.update(tools_named(["docker"]), progress=machine.said.append)
    assert (machine.bin / "edited").read_text(encoding="utf-8") == f"{machine.bin / 'source' / 'vendor.mod'}\n"
    assert (modules / "docker" / "go.mod").is_file()


def test_fork_stands_in_for_what_its_go_mod_is_called(machine: Machine, modules: Path) -> None:
    update.update(tools_named(["kube-router"]), progress=machine.said.append)
    lines = (modules / "kube-router" / "go.mod").read_text(encoding="utf-8").splitlines()
    assert "require github.com/cloudnativelabs/kube-router/v2 v2.2.1" in lines
    assert "replace github.com/cloudnativelabs/kube-router/v2 => github.com/k3s-io/kube-router/v2 v2.2.1" in lines
    assert (machine.bin / "asked").read_text(encoding="utf-8") == "github.com/k3s-io/kube-router/v2@v2.2.1\n"


def test_failed_update_leaves_the_committed_files_alone(machine: Machine, modules: Path) -> None:
    (modules / "helm").mkdir()
    (modules / "helm" / "go.mod").write_text("as it was", encoding="utf-8")
    machine.tell_go("offline", 'go: helm.sh/helm/v3@v3.22.0: Get "https://proxy.example": no such host')
    with pytest.raises(UnavailableError, match=r"the module helm\.sh/helm/v3@v3\.22\.0, which helm is built from"):
        update.update(tools_named(["helm"]), progress=machine.said.append)
    assert (modules / "helm" / "go.mod").read_text(encoding="utf-8") == "as it was"
