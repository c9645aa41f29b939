from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clusters.embedded import conditions, emulators, host
from clusters.embedded.layout import Layout
from clusters.embedded.provider import EmbeddedProvider
from clusters.embedded.toolchain import KUBERNETES_LINES
from clusters.errors import UnavailableError, UsageError
from clusters.provider import SECCOMP_PROFILES, ClusterSpec, NodeConditions


def spec(line: str = "1.35", asked: NodeConditions | None = None, *, ids_per_pod: int = 65536) -> ClusterSpec:
    wanted = NodeConditions(ids_per_pod=ids_per_pod) if asked is None else asked
    return ClusterSpec(name="one", run_id="r", kubernetes=line, conditions=wanted)


def profile(name: str) -> dict[str, Any]:
    return _object((Path(conditions.__file__).with_name("profiles") / Path(name).name).read_text(encoding="utf-8"))


def _object(text: str) -> dict[str, Any]:
    found = json.loads(text)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("ids", [65536, 131072, 262144, 2**24])
def test_a_number_of_ids_that_divides_all_of_them_is_accepted(ids: int) -> None:
    conditions.require(spec(ids_per_pod=ids))


@pytest.mark.parametrize("ids", [0, -65536, 1, 65535, 196608, 2**24 + 65536, 2**25, 2**32])
def test_a_number_of_ids_that_would_end_the_kubelet_is_refused_with_one_that_would_not(ids: int) -> None:
    with pytest.raises(UsageError, match=f"^{ids} ids per pod cannot .* a power of two") as caught:
        conditions.require(spec(ids_per_pod=ids))
    proposed = int(str(caught.value).rsplit(" ", 1)[1])
    conditions.require(spec(ids_per_pod=proposed))


def test_the_number_that_is_proposed_is_not_smaller_than_what_was_asked_for() -> None:
    with pytest.raises(UsageError, match=r"for example 262144$"):
        conditions.require(spec(ids_per_pod=196608))


def test_a_line_whose_kubelet_knows_no_number_of_ids_refuses_one() -> None:
    conditions.require(spec("1.32"))
    conditions.require(spec("1.33", ids_per_pod=262144))
    with pytest.raises(UsageError, match=r"the kubelet of Kubernetes 1\.32 cannot be told .* 1\.33 or newer"):
        conditions.require(spec("1.32", ids_per_pod=262144))


@pytest.mark.parametrize("line", KUBERNETES_LINES)
def test_every_line_has_every_other_condition(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulators, "why_unavailable", lambda: None)
    conditions.require(spec(line, NodeConditions(seccomp_default=True, seccomp_profiles=True, emulators=True)))


def test_what_this_machine_lacks_is_said_before_anything_is_made(
    monkeypatch: pytest.MonkeyPatch, state_dir: Path
) -> None:
    monkeypatch.setattr(host, "has_apparmor", lambda: False)
    monkeypatch.setattr(emulators, "why_unavailable", lambda: "no binfmt_misc in this kernel")
    provider = EmbeddedProvider()
    for wanted, why in (
        (NodeConditions(apparmor=True), "no AppArmor"),
        (NodeConditions(emulators=True), "no binfmt_misc in this kernel"),
    ):
        assert provider.why_impossible(wanted) == why
        with pytest.raises(UnavailableError, match=why):
            provider.prepare(spec(asked=wanted), lambda _: None)
    assert provider.why_impossible(NodeConditions(seccomp_default=True)) is None
    assert not state_dir.exists() or not any(state_dir.iterdir())


def test_impossible_conditions_are_refused_by_create_and_leave_no_lease(
    monkeypatch: pytest.MonkeyPatch, state_dir: Path
) -> None:
    monkeypatch.setattr(host, "why_unavailable", lambda: None)
    provider = EmbeddedProvider()
    with pytest.raises(UsageError, match="196608 ids per pod"):
        provider.create(spec(ids_per_pod=196608), lambda _: None)
    assert provider.list_leases() == ()
    assert not (state_dir / "clusters").exists()


def test_the_kubelet_is_told_only_what_is_not_its_default() -> None:
    assert conditions.kubelet(NodeConditions()) == {}
    assert conditions.kubelet(NodeConditions(seccomp_default=True)) == {"seccompDefault": True}
    assert conditions.kubelet(NodeConditions(ids_per_pod=262144)) == {"userNamespaces": {"idsPerPod": 262144}}


def test_profiles_lie_where_the_kubelet_looks_for_what_pods_name(tmp_path: Path) -> None:
    layout = Layout(name="one", root=tmp_path)
    conditions.write_profiles(layout)
    for name in SECCOMP_PROFILES:
        path = layout.var_lib / "kubelet" / "seccomp" / name
        assert json.loads(path.read_text(encoding="utf-8")) == profile(name)


def test_the_profiles_are_all_there_are_and_each_is_explained() -> None:
    folder = Path(conditions.__file__).with_name("profiles")
    files = {path.name for path in folder.glob("*.json")}
    assert files == {Path(name).name for name in SECCOMP_PROFILES}
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in files)


def test_the_profile_that_allows_all_restricts_nothing() -> None:
    assert profile(SECCOMP_PROFILES[0]) == {"defaultAction": "SCMP_ACT_ALLOW"}


def test_the_rootless_profile_allows_what_namespaces_need_and_refuses_by_default() -> None:
    content = profile(SECCOMP_PROFILES[1])
    assert content["defaultAction"] == "SCMP_ACT_ERRNO"
    always = {name for rule in content["syscalls"] if "args" not in rule for name in rule["names"]}
    assert {rule["action"] for rule in content["syscalls"]} == {"SCMP_ACT_ALLOW"}
    assert {"clone", "clone3", "unshare", "setns", "mount", "umount2", "pivot_root", "keyctl", "read"} <= always
    assert not always & {"bpf", "init_module", "io_uring_setup", "kexec_load", "perf_event_open", "userfaultfd"}
