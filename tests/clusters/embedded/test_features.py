from __future__ import annotations

from pathlib import Path

import pytest

from clusters.embedded import access, components, features, pki, requirements, status
from clusters.embedded.features import FEATURES, Feature
from clusters.embedded.layout import Layout
from clusters.embedded.orders import Step
from clusters.embedded.status import Phase, State, Status, StepStatus
from clusters.embedded.toolchain import pick, programs_for
from clusters.errors import UnavailableError
from clusters.provider import Capability

BOTH = frozenset({Capability.VOLUMES, Capability.NETWORK_POLICY})
EVERY = tuple(FEATURES.values())


@pytest.fixture
def cluster(tmp_path: Path) -> Layout:
    found = Layout(name="one", root=tmp_path)
    found.config.mkdir()
    return found


def impossible(monkeypatch: pytest.MonkeyPatch, capability: Capability, reason: str | None) -> None:
    old = FEATURES[capability]
    fields = {name: getattr(old, name) for name in Feature.__slots__}
    monkeypatch.setitem(FEATURES, capability, Feature(**{**fields, "why_impossible": lambda: reason}))


def test_what_no_machine_lacks_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    impossible(monkeypatch, Capability.NETWORK_POLICY, None)
    asked = BOTH | {Capability.OURS}
    assert {feature.program for feature in features.possible(asked)} == {"local-path-provisioner", "kube-router"}
    assert features.lacking(asked) == {}


def test_a_machine_that_cannot_enforce_policies_still_gives_volumes(monkeypatch: pytest.MonkeyPatch) -> None:
    impossible(monkeypatch, Capability.NETWORK_POLICY, "no filter")
    assert [feature.program for feature in features.possible(BOTH)] == ["local-path-provisioner"]
    assert features.lacking(BOTH) == {Capability.NETWORK_POLICY: "no filter"}
    assert features.lacking({Capability.VOLUMES}) == {}


def test_a_cluster_that_was_asked_for_nothing_is_as_it_was(cluster: Layout) -> None:
    assert features.steps((), cluster) == ()
    assert features.possible(frozenset()) == ()
    assert not {feature.program for feature in EVERY} & {program.name for program in programs_for()}


def test_programs_of_features_are_in_the_toolchain() -> None:
    assert len(pick([feature.program for feature in EVERY])) == len(EVERY)


def test_steps_of_features_need_steps_that_are_there(cluster: Layout) -> None:
    steps: list[Step] = list(components.steps(cluster, node_ip="10.203.0.2", images=cluster.root))
    seen = {step.name for step in steps}
    for step in features.steps(EVERY, cluster):
        assert set(step.needs) <= seen
        assert step.name not in seen
        seen.add(step.name)
        assert not step.objects or "kube-apiserver" in step.needs


def test_each_program_speaks_as_a_user_of_its_own_that_the_rules_name(cluster: Layout) -> None:
    issued = pki.identities("one", "10.203.0.2")
    for feature in EVERY:
        who = features.identities((feature,))[feature.program]
        assert who.group == ""
        assert feature.user not in {identity.user for identity in issued.values()}
        subjects = [subject["name"] for _, body in feature.objects() for subject in body.get("subjects", ())]
        assert subjects
        assert set(subjects) == {feature.user}
        assert any(f"{cluster.kubeconfigs}/{feature.program}" in word for word in feature.step(cluster).argv)


def test_no_program_may_do_everything_nor_read_secrets() -> None:
    rules = [rule for feature in EVERY for _, body in feature.objects() for rule in body.get("rules", ())]
    assert rules
    for rule in rules:
        words = {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}
        assert not words & {"*", "secrets", access.RBAC}


def test_what_a_program_is_told_is_written(cluster: Layout) -> None:
    features.write(EVERY, cluster, "shell:1")
    told = [word for feature in EVERY for word in feature.step(cluster).argv]
    for path in cluster.config.iterdir():
        assert any(word.endswith(str(path)) for word in told), path
    assert "shell:1" in (cluster.config / "local-path-helper.yaml").read_text()


def test_only_what_the_supervisor_saw_at_work_is_a_capability(cluster: Layout) -> None:
    assert features.found(cluster) == frozenset()
    steps = (
        StepStatus(name="local-path-provisioner", state=State.STARTED),
        StepStatus(name="kube-router", state=State.READY),
    )
    status.write(cluster.status, Status(phase=Phase.STARTING, steps=steps))
    assert features.found(cluster) == {Capability.NETWORK_POLICY}
    assert features.programs(cluster) == ("kube-router",)


def test_packages_of_a_feature_are_asked_for_only_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    impossible(monkeypatch, Capability.NETWORK_POLICY, None)
    monkeypatch.setenv(requirements.INSTALL_VARIABLE, "0")
    monkeypatch.setattr(requirements, "_is_there", lambda _: False)
    features.install({Capability.VOLUMES}, print)
    with pytest.raises(UnavailableError, match="ipset"):
        features.install(BOTH, print)
