from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from clusters import process
from clusters.embedded import host, policies, requirements
from clusters.embedded.layout import Layout
from clusters.embedded.orders import Kind
from clusters.embedded.toolchain.catalog import MODULES
from clusters.process import Completed

SOURCE = (MODULES / "kube-router" / "main.go").read_text()


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Filters bridges, has the programs, and says what the trial is to fail with, or nothing."""
    said: list[str] = []

    def run(argv: Sequence[str | Path], **_: object) -> Completed:
        words = tuple(map(str, argv))
        # Never in the machine's own network.
        assert words[:2] == ("unshare", "--net")
        return Completed(argv=words, returncode=1 if said else 0, stdout="", stderr="\n".join(said))

    monkeypatch.setattr(host, "filters_bridge", lambda: True)
    monkeypatch.setattr("shutil.which", lambda program, **_: f"/usr/sbin/{program}")
    monkeypatch.setattr(process, "run", run)
    return said


@pytest.mark.usefixtures("machine")
def test_a_kernel_that_takes_the_rules_can_enforce_policies() -> None:
    assert policies.why_impossible() is None


def test_a_kernel_that_refuses_the_rules_is_told_with_its_words(machine: list[str]) -> None:
    machine += ["iptables: No chain/target/match by that name.", "hint"]
    reason = policies.why_impossible() or ""
    assert "(iptables: No chain/target/match by that name. hint)" in reason


@pytest.mark.usefixtures("machine")
def test_a_kernel_without_a_bridge_filter_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "filters_bridge", lambda: False)
    assert "br_netfilter" in (policies.why_impossible() or "")


def test_nothing_is_tried_before_the_programs_are_installed(
    monkeypatch: pytest.MonkeyPatch, machine: list[str]
) -> None:
    machine.append("must not be asked")
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    assert policies.why_impossible() is None


def test_its_packages_say_what_they_are_for() -> None:
    assert {package.name for package in requirements.load(policies.PACKAGES)} == {"iptables", "ipset"}


def test_the_controller_is_ready_when_the_kernel_has_its_rules(tmp_path: Path) -> None:
    step = policies.step(Layout(name="one", root=tmp_path))
    assert step.ready.kind is Kind.HTTP
    assert f"http://{policies.HEALTH}/healthz" == step.ready.target
    assert {"--node=one", "--service-cluster-ip-range=10.96.0.0/16"} <= set(step.argv)


def test_the_controller_knows_every_option_it_is_given(tmp_path: Path) -> None:
    known = set(re.findall(r'flag\.\w+\((?:&[\w.]+, )?"([\w-]+)"', SOURCE))
    given = {
        word.removeprefix("--").partition("=")[0] for word in policies.step(Layout(name="one", root=tmp_path)).argv[1:]
    }
    assert given <= known
