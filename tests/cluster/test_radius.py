"""A run through an imitation of Radius' chart: two builders that build, one that does not, each as it is claimed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from clusters.paths import CHECKOUT
from conformance.artifacts import RunFolder
from conformance.matrix import MATRICES, load_builders
from conformance.model import Observation, Outcome, Role
from tests.cluster.runs import cleared, start

pytestmark = pytest.mark.cluster

CHART = CHECKOUT / "tests" / "data" / "charts" / "radius-like"
#: As Radius ships it; one of this project's own sidecars, with ids, group and /proc of its own; one that is refused.
CLASSES = {
    "radius-shipped": None,
    "rootless-userns-unmasked": None,
    "radius-no-escalation": "rootlesskit-clone-eperm",
}
BUILT = [name for name, refused_by in CLASSES.items() if refused_by is None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunFolder]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BUILD_CONFORMANCE_STATE_DIR", str(tmp_path_factory.mktemp("state")))
        words = [f"--builder={name}" for name in CLASSES]
        chart = (f"--chart={CHART}", "--adapter=radius", "--matrix=radius", "--kubernetes=1.35", "--psa=privileged")
        with cleared(start(tmp_path_factory.mktemp("run"), *chart, *words, "-n2")) as running:
            assert running.end() == 0, running.said
            yield running.folder


def seen(folder: RunFolder, builder: str) -> Observation:
    found = folder.read_observation(f"embedded-1.35-privileged-{builder}")
    assert found is not None
    return found


@pytest.mark.parametrize("builder", CLASSES)
def test_a_builder_in_radius_pod_ends_as_claimed(folder: RunFolder, builder: str) -> None:
    (result,) = (each for each in folder.read_results() if each.builder == builder and each.role is Role.SELECTED)
    assert result.outcome is Outcome.AS_CLAIMED
    assert result.class_ == CLASSES[builder]
    assert seen(folder, builder).versions.chart.startswith("radius-like ")


def container(pod: Mapping[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in pod["spec"]["containers"] if each["name"] == name)
    return found


@pytest.mark.parametrize("builder", CLASSES)
def test_the_pod_that_was_predicted_and_the_pod_that_ran_say_what_the_builder_says(
    folder: RunFolder, builder: str
) -> None:
    wanted = load_builders(MATRICES / "builders")[builder]
    observation = seen(folder, builder)
    for pod in (observation.rendered_pod, observation.admitted_pod):
        daemon = container(pod, "buildkitd")
        assert daemon["securityContext"] == wanted.security_context
        assert daemon["args"][-len(wanted.args) :] == list(wanted.args) or not wanted.args
        assert pod["spec"].get("hostUsers") is wanted.host_users
        assert container(pod, "dynamic-rp")["securityContext"] == {"allowPrivilegeEscalation": False}


@pytest.mark.parametrize("builder", BUILT)
def test_the_registry_is_known_by_the_configuration_that_was_rendered_anew(folder: RunFolder, builder: str) -> None:
    text = folder.read_text(f"embedded-1.35-privileged-{builder}", "build/push.txt")
    assert text is not None
    assert "conformance-digest:sha256:" in text


def test_the_recipe_builds_with_its_cache_where_the_harness_own_client_takes_none(folder: RunFolder) -> None:
    """The recipe has no --no-cache: what the stage before has built is there for the push."""
    texts = {
        builder: folder.read_text(f"embedded-1.35-privileged-{builder}", "build/push.txt") or "" for builder in BUILT
    }
    cached = {builder: bool(re.search(r"\] RUN .*\n#\d+ CACHED", text)) for builder, text in texts.items()}
    assert cached == {"radius-shipped": True, "rootless-userns-unmasked": False}
