from __future__ import annotations

import pytest
from click.testing import CliRunner

from clusters.embedded.toolchain.cli import toolchain_group
from clusters.errors import UsageError
from tests.clusters.embedded.toolchain.machine import Machine


def _run(*words: str) -> str:
    result = CliRunner().invoke(toolchain_group, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_user_builds_named_programs_and_reads_where_they_are(machine: Machine) -> None:
    name, path = _run("build", "coredns").split()
    assert name == "coredns"
    assert path.startswith(str(machine.cache))
    assert machine.built() == ["coredns"]


@pytest.mark.usefixtures("machine")
def test_user_lists_what_is_there_and_what_a_line_lacks() -> None:
    _run("build", "coredns")
    said = {line.split()[0]: line for line in _run("list", "--kubernetes", "1.34").splitlines() if line}
    assert said["coredns"].split()[-1] == "built"
    assert said["kubelet"].split()[1:] == ["v1.34.4", "missing"]
    assert said["kubectl"].endswith("not built (optional)")
    assert "`python -m clusters toolchain build --kubernetes 1.34`" in said["19"]


def test_user_sees_programs_of_other_lines_and_what_an_interrupted_build_left(machine: Machine) -> None:
    _run("build", "--kubernetes", "1.34", "kubelet")
    (machine.cache / ".work").mkdir()
    said = _run("list")
    (kubelet,) = [line.split() for line in said.splitlines() if "another" in line]
    assert kubelet[:2] == ["kubelet", "v1.34.4"]
    assert "`prune` removes what it left" in said


def test_user_prunes_everything(machine: Machine) -> None:
    _run("build", "coredns")
    assert _run("prune", "--all").startswith("freed ")
    assert machine.published() == {}


@pytest.mark.usefixtures("machine")
def test_user_with_an_unknown_line_is_told_so() -> None:
    with pytest.raises(UsageError, match=r"no Kubernetes line '2\.0'"):
        _run("build", "--kubernetes", "2.0")
