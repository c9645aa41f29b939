"""Facts settle what texts leave open."""

from __future__ import annotations

import pytest

from conformance.classify import classify
from conformance.classify.facts import mapped_ids
from conformance.model import BuilderFacts, FactsOrigin, Finding, NodeFacts, SourceKind, Stage
from tests.conformance.classify.observations import BUILDER, container, ended, observation, pod, source

HOST = "         0          0 4294967295\n"
OWN = "0 524288 65536\n"
CLONE = "[rootlesskit:parent] error: failed to start the child: fork/exec /proc/self/exe: operation not permitted"
DENIED = CLONE.replace("operation not permitted", "permission denied")
NEWUIDMAP = (
    "newuidmap 11 [0 1000 1 1 {first} 65536] failed: newuidmap: write to uid_map failed: Operation not permitted"
)
CAPS = "newuidmap 11 [0 1000 1] failed: newuidmap: Could not set caps"
PODMAN = "cannot clone: Operation not permitted"
GATE = "buildkitd: can't enable NoProcessSandbox without Rootless"
KILLED = "[rootlesskit:child ] error: command [buildkitd --oci-worker-no-process-sandbox] exited: signal: killed"
#: CapBnd with SETUID and SETGID, and without.
WITH, WITHOUT = 0x00000000A80425FB, 0x0000000000000400
UNPRIVILEGED, RESTRICTED = "kernel.unprivileged_userns_clone", "kernel.apparmor_restrict_unprivileged_userns"


def judged(text: str, facts: dict[str, object], node: NodeFacts | None = None) -> Finding:
    builder = BuilderFacts.model_validate({"origin": FactsOrigin.TWIN} | facts)
    build = source(text, SourceKind.BUILD)
    return classify(observation(Stage.READY, build, builder_facts=builder, node_facts=node or NodeFacts()))


def sysctl(name: str, value: str) -> NodeFacts:
    return NodeFacts(sysctls={name: value})


@pytest.mark.parametrize(
    ("text", "facts", "node", "class_", "decisive", "candidates"),
    [
        # clone(2) refused with EPERM.
        (CLONE, {}, None, "rootlesskit-clone-eperm", False, ("rootlesskit-unprivileged-clone-disabled",)),
        (CLONE, {"seccomp": 2}, None, "rootlesskit-clone-eperm", True, ()),
        (CLONE, {}, sysctl(UNPRIVILEGED, "0"), "rootlesskit-unprivileged-clone-disabled", True, ()),
        (CLONE, {"seccomp": 0}, None, "rootlesskit-clone-eperm", False, ("rootlesskit-unprivileged-clone-disabled",)),
        # ... with EACCES.
        (DENIED, {}, None, "rootlesskit-clone-eacces", False, ("rootlesskit-apparmor-userns-restricted",)),
        (DENIED, {}, sysctl(RESTRICTED, "1"), "rootlesskit-apparmor-userns-restricted", True, ()),
        (DENIED, {}, sysctl(RESTRICTED, "0"), "rootlesskit-clone-eacces", True, ()),
        (DENIED, {"lsm_label": "unconfined\n"}, None, "rootlesskit-clone-eacces", True, ()),
        # The four causes of one message of newuidmap.
        (
            NEWUIDMAP.format(first=100000),
            {},
            None,
            "rootlesskit-newuidmap-eperm",
            False,
            ("rootlesskit-newuidmap-no-file-caps",),
        ),
        (NEWUIDMAP.format(first=100000), {"no_new_privs": True}, None, "rootlesskit-newuidmap-eperm", True, ()),
        (
            NEWUIDMAP.format(first=100000),
            {"no_new_privs": False, "uid_map": OWN},
            None,
            "rootlesskit-newuidmap-eperm",
            True,
            (),
        ),
        (
            NEWUIDMAP.format(first=100000),
            {"no_new_privs": False, "uid_map": HOST, "lsm_label": "unconfined"},
            None,
            "rootlesskit-newuidmap-no-file-caps",
            True,
            (),
        ),
        (
            NEWUIDMAP.format(first=100000),
            {"no_new_privs": False, "uid_map": HOST},
            None,
            "rootlesskit-newuidmap-no-file-caps",
            False,
            ("rootlesskit-newuidmap-caps",),
        ),
        (CAPS, {"cap_bnd": WITHOUT}, None, "rootlesskit-newuidmap-caps", True, ()),
        (
            CAPS,
            {"cap_bnd": WITH, "lsm_label": "unconfined"},
            None,
            "rootlesskit-newuidmap-caps",
            False,
            ("rootlesskit-newuidmap-no-file-caps",),
        ),
        # podman's message says no more than EPERM.
        (PODMAN, {}, None, "podman-userns-eacces", False, ("buildah-userns-eperm",)),
        (PODMAN, {"seccomp": 2}, None, "buildah-userns-eperm", True, ()),
        # The daemon's gate.
        (GATE, {"uid_map": HOST}, None, "executor-no-process-sandbox-gate", True, ()),
        (
            GATE,
            {"uid_map": OWN},
            None,
            "executor-no-process-sandbox-gate",
            False,
            ("buildkitd-rootless-not-in-userns",),
        ),
        # seccomp forbids, or something else does.
        ("git error: operation not permitted", {"seccomp": 2}, None, "git-unshare-eperm", True, ()),
        ("git error: operation not permitted", {"seccomp": 0}, None, "git-unshare-eperm", False, ("apparmor-denied",)),
    ],
)
def test_facts_decide(
    text: str,
    facts: dict[str, object],
    node: NodeFacts | None,
    class_: str,
    *,
    decisive: bool,
    candidates: tuple[str, ...],
) -> None:
    finding = judged(text, facts, node)
    assert (finding.class_, finding.decisive, finding.candidates) == (class_, decisive, candidates)
    assert finding.layer is not None
    known = bool(facts) or node is not None
    assert (len(finding.evidence) == 2) is known
    if known:
        assert finding.evidence[1].file == "observation.json"
        assert "(facts from: twin)" in finding.evidence[1].text


def test_the_daemons_log_would_have_named_the_sysctl() -> None:
    finding = classify(observation(Stage.READY, source(CLONE, SourceKind.DAEMON)))
    assert (finding.class_, finding.decisive) == ("rootlesskit-clone-eperm", True)


@pytest.mark.parametrize(("context", "decisive"), [({"seccompProfile": {"type": "RuntimeDefault"}}, True), ({}, False)])
def test_a_seccomp_profile_in_the_admitted_pod_is_in_force(context: dict[str, object], *, decisive: bool) -> None:
    admitted = {"spec": {"containers": [{"name": BUILDER, "securityContext": context}]}}
    finding = classify(observation(Stage.READY, source(CLONE, SourceKind.BUILD), admitted_pod=admitted))
    assert finding.decisive is decisive


def test_the_kubelets_default_counts_where_the_pod_names_no_profile() -> None:
    admitted = {"spec": {"containers": [{"name": BUILDER}]}}
    node = NodeFacts(seccomp_default=True)
    finding = classify(
        observation(Stage.READY, source(CLONE, SourceKind.BUILD), admitted_pod=admitted, node_facts=node)
    )
    assert finding.decisive


def test_who_killed_the_daemon_is_in_its_last_state() -> None:
    died = pod(container(restarts=1, last_terminated=ended(255, "Error")))
    finding = classify(observation(Stage.LOCAL_RUN, source(KILLED), pods=(died,)))
    assert (finding.class_, finding.decisive) == ("buildkitd-killed-by-step", True)
    memory = pod(container(restarts=1, last_terminated=ended(255, "OOMKilled")))
    assert classify(observation(Stage.LOCAL_RUN, source(KILLED), pods=(memory,))).class_ == "oom-killed"
    assert not classify(observation(Stage.LOCAL_RUN, source(KILLED))).decisive


@pytest.mark.parametrize(
    ("uid_map", "ids"), [(HOST, 4294967295), (OWN, 65536), ("0 1000 1\n1 100000 65536", 65537), ("", None), ("x", None)]
)
def test_mapped_ids(uid_map: str, ids: int | None) -> None:
    assert mapped_ids(uid_map) == ids
