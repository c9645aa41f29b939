from __future__ import annotations

import pytest

from clusters.embedded.toolchain.programs import GoProgram, build_command, every, pick, programs_for, version_of
from clusters.embedded.toolchain.tools import DEFAULT_LINE, KUBERNETES_LINES, tools_named
from clusters.errors import UsageError

_NEEDED = {
    *("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "etcd"),
    *("containerd", "containerd-shim-runc-v2", "ctr", "runc", "bridge", "host-local", "loopback", "portmap"),
    *("coredns", "buildkitd", "buildctl", "rootlesskit", "helm", "registry"),
}


def test_plan_for_a_line_needs_one_control_plane_and_nothing_optional() -> None:
    assert {program.name for program in programs_for("1.34")} == _NEEDED


@pytest.mark.parametrize("line", KUBERNETES_LINES)
def test_every_line_has_a_control_plane_of_its_own_version(line: str) -> None:
    kubelet = {program.name: program for program in programs_for(line)}["kubelet"]
    assert kubelet.version.startswith(f"v{line}.")
    assert version_of("kubelet", line) == kubelet.version


def test_programs_outside_kubernetes_are_the_same_for_every_line() -> None:
    def others(line: str) -> set[object]:
        return {program for program in programs_for(line) if not _of_kubernetes(program)}

    assert others("1.33") == others("1.36")
    assert len(others("1.33")) == len(_NEEDED) - 5


def test_kubernetes_says_its_version_to_component_base_and_client_go() -> None:
    (kubelet,) = pick(["kubelet"], kubernetes="1.34")
    assert isinstance(kubelet, GoProgram)
    for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version"):
        assert f"-X={package}.gitVersion={kubelet.version}" in kubelet.ldflags
        assert f"-X={package}.gitMajor=1" in kubelet.ldflags
        assert f"-X={package}.gitMinor=34" in kubelet.ldflags


def test_small_programs_are_built_before_kubernetes() -> None:
    names = [program.name for program in programs_for()]
    assert names.index("runc") < names.index("containerd") < names.index("kube-apiserver")


def test_user_who_names_an_unknown_line_is_told_the_lines_and_the_nearest() -> None:
    there_are = r"1\.32, 1\.33, 1\.34, 1\.35, 1\.36"
    with pytest.raises(UsageError, match=rf"'1\.3': there are {there_are}; did you mean '1\.3\d'\?"):
        programs_for("1.3")


def test_user_who_mistypes_a_program_is_told_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'kube-apiserver'"):
        pick(["kube-apisrver"])


def test_user_who_mistypes_a_tool_is_told_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"did you mean 'kubernetes-1\.34'"):
        tools_named(["kubernets-1.34"])


def test_optional_programs_are_had_by_name_alone() -> None:
    assert [program.name for program in pick(["kubectl"])] == ["kubectl"]
    assert "kubectl" in {program.name for program in every(DEFAULT_LINE)}


def test_command_to_build_names_the_line_unless_it_is_the_default() -> None:
    assert build_command(pick(["runc", "kubelet"])) == "python -m clusters toolchain build runc kubelet"
    assert "--kubernetes 1.34 kubelet" in build_command(pick(["kubelet"], kubernetes="1.34"))


def _of_kubernetes(program: object) -> bool:
    return isinstance(program, GoProgram) and program.tool.startswith("kubernetes-")
