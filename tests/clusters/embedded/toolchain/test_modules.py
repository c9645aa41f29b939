"""The committed go.mod and go.sum files fit `programs.toml`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.version import Version

from clusters.embedded.toolchain import go
from clusters.embedded.toolchain.catalog import MODULES, ToolRecord, load
from clusters.embedded.toolchain.tools import all_tools

_TOOLS = {tool.name: tool for tool in all_tools()}


@pytest.fixture(params=sorted(_TOOLS))
def tool(request: pytest.FixtureRequest) -> ToolRecord:
    return _TOOLS[request.param]


def test_every_folder_of_modules_is_a_tool_and_every_tool_has_one() -> None:
    assert {path.name for path in MODULES.iterdir()} == set(_TOOLS)


def test_version_of_a_tool_is_the_one_its_go_mod_requires(tool: ToolRecord) -> None:
    required = re.search(rf"(?m)^(?:require )?\s*{re.escape(tool.named or tool.module)} (v\S+)", _go_mod(tool))
    assert required is not None
    assert required[1] == tool.version, f"run `python -m clusters toolchain update {tool.name}`"


def test_tool_has_a_checksum_of_its_module(tool: ToolRecord) -> None:
    sums = (MODULES / tool.name / "go.sum").read_text(encoding="utf-8").splitlines()
    assert any(line.startswith(f"{tool.module} {tool.version} h1:") for line in sums)


def test_go_mod_names_every_package_that_is_built(tool: ToolRecord) -> None:
    for build in tool.build:
        for package in build.programs.values():
            assert package == "." or re.search(rf"(?m)^(?:tool )?\s*{re.escape(package)}$", _go_mod(tool)), package


def test_go_does_not_call_a_program_by_the_major_version_of_its_module(tool: ToolRecord) -> None:
    packages = [package for build in tool.build for package in build.programs.values()]
    assert not [package for package in packages if re.search(r"/v\d+$", package)]


def test_programs_that_are_built_together_come_out_under_different_names(tool: ToolRecord) -> None:
    for build in tool.build:
        names = [package.rsplit("/", 1)[-1] for package in build.programs.values()]
        assert len(names) == len(set(names))


def test_nothing_is_replaced_by_a_folder(tool: ToolRecord) -> None:
    assert not re.search(r"=> \.", _go_mod(tool))


@pytest.mark.parametrize("name", [name for name in _TOOLS if name.startswith("kubernetes-")])
def test_staging_modules_are_of_the_kubernetes_release(name: str) -> None:
    replaced = dict(re.findall(r"(k8s\.io/\S+) => \1 (v\S+)", _go_mod(_TOOLS[name])))
    assert replaced["k8s.io/api"] == replaced["k8s.io/kubelet"] == f"v0{_TOOLS[name].version[2:]}"
    assert set(replaced.values()) == {replaced["k8s.io/api"]}


def test_helm_assumes_the_kubernetes_of_its_client_go() -> None:
    minor = re.search(r"k8s\.io/client-go v0\.(\d+)\.", _go_mod(_TOOLS["helm"]))
    assert minor is not None
    flags = _TOOLS["helm"].build[0].ldflags
    assert [flag for flag in flags if "k8sVersionMinor" in flag and flag.endswith(f"={minor[1]}")] == [
        flag for flag in flags if "k8sVersionMinor" in flag
    ]


def test_wheel_is_new_enough_for_every_go_mod() -> None:
    assert Version(load().go.wheel) >= go.needed()


def test_cluster_dns_has_the_plugins_its_configuration_may_name() -> None:
    source = (MODULES / "coredns" / "main.go").read_text(encoding="utf-8")
    plugins = set(re.findall(r'_ "github.com/coredns/coredns/plugin/(\w+)"', source))
    assert plugins == {"cache", "errors", "health", "hosts", "kubernetes", "log", "loop", "ready", "reload"}


def _go_mod(tool: ToolRecord) -> str:
    return Path(MODULES / tool.name / "go.mod").read_text(encoding="utf-8")
