from __future__ import annotations

from pathlib import Path

import pytest

from clusters.embedded import components
from clusters.embedded.layout import Layout
from clusters.embedded.orders import Kind, Step


@pytest.fixture
def steps(tmp_path: Path) -> tuple[Step, ...]:
    return components.steps(Layout(name="one", root=tmp_path), node_ip="10.203.0.2", images=tmp_path / "images.tar")


def needs(steps: tuple[Step, ...], name: str) -> set[str]:
    found = next(step for step in steps if step.name == name)
    return set(found.needs).union(*(needs(steps, other) for other in found.needs))


def test_what_a_step_needs_comes_before_it(steps: tuple[Step, ...]) -> None:
    seen: set[str] = set()
    for step in steps:
        assert set(step.needs) <= seen, step.name
        seen.add(step.name)
    assert len(seen) == len(steps)


def test_images_are_imported_while_the_api_server_starts(steps: tuple[Step, ...]) -> None:
    assert "kube-apiserver" not in needs(steps, "images")
    assert "images" not in needs(steps, "kube-apiserver")
    assert "images" not in needs(steps, "node-ready")


def test_kubelets_start_after_containerd_answers(steps: tuple[Step, ...]) -> None:
    assert {"containerd", "kube-apiserver"} <= needs(steps, "kubelet")


def test_every_program_that_stays_is_known_to_be_ready_by_asking_it(steps: tuple[Step, ...]) -> None:
    for step in steps:
        if step.argv and step.name != "images":
            assert step.ready.kind in {Kind.HTTP, Kind.SOCKET}, step.name
        assert step.ready.limit > 0


def test_no_component_speaks_as_administrator(steps: tuple[Step, ...]) -> None:
    for step in steps:
        assert not any("admin" in Path(word.rpartition("=")[2]).name for word in step.argv), step.name
