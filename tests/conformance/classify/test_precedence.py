"""Which of several classes wins: state before text, cause before consequence, then the order of layers."""

from __future__ import annotations

import pytest

from conformance.classify import classify, classify_text
from conformance.classify.catalogue import CLASSES
from conformance.classify.precedence import Weight, rank
from conformance.classify.records import Hit, Tier
from conformance.model import UNCLASSIFIED, Event, Evidence, Layer, SourceKind, Stage, VerdictKind
from tests.conformance.classify.observations import BUILDER, container, ended, observation, pod, source

EOF_TEXT = "error: failed to receive status: rpc error: code = Unavailable desc = error reading from server: EOF"
CLONE = "[rootlesskit:parent] error: failed to start the child: fork/exec /proc/self/exe: operation not permitted"


def hit(name: str, tier: Tier = Tier.CAUSE, *, line: int = 1, order: int = 0, also: tuple[str, ...] = ()) -> Hit:
    evidence = Evidence(file="f", line=line, text=name)
    return Hit(class_=CLASSES[name], tier=tier, evidence=evidence, order=order, also=also)


def best(*hits: Hit) -> str:
    found = rank(hits).best
    assert found is not None
    return found.class_.name


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("winner", "loser"),
    [
        # State beats text, whatever the layer.
        (hit("oom-killed", Tier.STATE), hit("registry-unauthorized")),
        # A cause beats a consequence.
        (hit("registry-unauthorized"), hit("snapshotter-bind-eperm", Tier.CONSEQUENCE)),
        # S loses to anything, to what only follows as well.
        (
            hit("disk-full", Tier.CONSEQUENCE),
            hit("helm-timeout", Tier.STATE),
        ),
        # W never wins.
        (hit("helm-timeout", Tier.CONSEQUENCE), hit("psa-warning", Tier.STATE)),
        # Background is no reason.
        (hit("helm-timeout", Tier.CONSEQUENCE), hit("buildkitd-no-authentication", Tier.BACKGROUND)),
        # One class explains the other.
        (hit("executor-keyring-quota"), hit("disk-full", Tier.STATE)),
        (hit("registry-rate-limit"), hit("image-pull-denied")),
        # Then the earlier layer.
        (hit("rootlesskit-clone-eperm", line=9), hit("executor-proc-mount-eperm", line=1)),
        # Then what allows fewer others, the earlier source, the earlier line.
        (hit("git-tls-failed", line=9), hit("git-conn-refused", line=1, also=("git-dns-failed",))),
        (hit("git-tls-failed", line=9), hit("git-dns-failed", line=1, order=2)),
        (hit("git-tls-failed", line=1), hit("git-dns-failed", line=9)),
    ],
)
def test_the_winner_of_two(winner: Hit, loser: Hit, *, turned: bool) -> None:
    pair = (loser, winner) if turned else (winner, loser)
    assert best(*pair) == winner.class_.name


def test_every_layer_comes_before_the_next() -> None:
    one_of = {
        layer: next(
            c.name
            for c in CLASSES.values()
            if c.layer is layer and c.kind is not VerdictKind.SYMPTOM and c.kind is not VerdictKind.NOISE
        )
        for layer in Layer
    }
    for before, after in zip(list(Layer)[:-1], list(Layer)[1:], strict=True):
        ranked = rank([hit(one_of[after], line=1), hit(one_of[before], line=2)])
        if ranked.weights[one_of[before]] is ranked.weights[one_of[after]]:
            assert ranked.best is not None
            assert ranked.best.class_.layer is before


def test_classes_that_explain_each_other_stay_both() -> None:
    ranked = rank([hit("image-pull-denied"), hit("image-pull-failed", Tier.CONSEQUENCE)])
    assert ranked.weights == {"image-pull-denied": Weight.CAUSE, "image-pull-failed": Weight.EXPLAINED}


def test_other_causes_are_candidates_and_symptoms_are_none() -> None:
    text = f"{CLONE}\n#3 ERROR: failed to push r/x: 401 Unauthorized\n{EOF_TEXT}\n"
    finding = classify_text(text)
    assert finding.class_ == "rootlesskit-clone-eperm"
    assert "registry-unauthorized" in finding.candidates
    assert "buildkitd-unavailable" not in finding.candidates


def test_memory_explains_a_torn_connection() -> None:
    killed = pod(container(restarts=1, last_terminated=ended(255, "OOMKilled")))
    finding = classify(
        observation(Stage.LOCAL_RUN, source(EOF_TEXT, SourceKind.BUILD, stage=Stage.LOCAL_RUN), pods=(killed,))
    )
    assert (finding.class_, finding.layer, finding.kind) == ("oom-killed", Layer.RESOURCE, VerdictKind.INFRASTRUCTURE)
    assert finding.decisive
    assert finding.stage is Stage.LOCAL_RUN
    assert "OOMKilled" in finding.evidence[0].text


def test_a_torn_connection_alone_stays_open() -> None:
    finding = classify(observation(Stage.LOCAL_RUN, source(EOF_TEXT, SourceKind.BUILD, stage=Stage.LOCAL_RUN)))
    assert finding.class_ == "buildkitd-unavailable"
    assert finding.kind is VerdictKind.SYMPTOM
    assert not finding.decisive
    assert {"oom-killed", "buildkitd-killed-by-step"} <= set(finding.candidates)


def test_sigkill_with_reason_error_is_not_called_out_of_memory() -> None:
    finding = classify(observation(Stage.READY, pods=(pod(container(state="terminated", terminated=ended(137))),)))
    assert finding.class_ == "container-exit-137"
    assert not finding.decisive


@pytest.mark.parametrize(
    ("changes", "class_"),
    [
        ({"waiting_reason": "ErrImageNeverPull"}, "image-never-present"),
        ({"waiting_reason": "InvalidImageName", "waiting_message": "couldn't parse"}, "image-name-invalid"),
        (
            {"waiting_reason": "ImagePullBackOff", "waiting_message": 'Back-off pulling image "r/x:1"'},
            "image-pull-failed",
        ),
        (
            {"waiting_reason": "ErrImagePull", "waiting_message": 'failed to pull image "r/x:1": 403 Forbidden'},
            "image-pull-denied",
        ),
        (
            {
                "waiting_reason": "CreateContainerConfigError",
                "waiting_message": "container has runAsNonRoot and image will run as root",
            },
            "run-as-nonroot-conflict",
        ),
    ],
)
def test_waiting_reasons(changes: dict[str, str], class_: str) -> None:
    finding = classify(observation(Stage.PULL, pods=(pod(container(state="waiting", **changes), phase="Pending"),)))
    assert finding.class_ == class_


@pytest.mark.parametrize(
    ("reason", "class_"),
    [
        ("Evicted", "pod-evicted"),
        ("OutOfcpu", "scheduling-insufficient-resources"),
        ("OutOfpods", "scheduling-too-many-pods"),
        ("NodeAffinity", "scheduling-taint-or-selector"),
        ("AppArmor", "apparmor-not-enabled"),
    ],
)
def test_reasons_of_pods(reason: str, class_: str) -> None:
    finding = classify(observation(Stage.START, pods=(pod(phase="Failed", reason=reason),)))
    assert finding.class_ == class_
    assert finding.decisive


def test_events_are_state_and_beat_what_the_daemon_says() -> None:
    event = Event(
        type="Warning", reason="FailedScheduling", message="0/1 nodes are available: 1 Insufficient cpu.", about="Pod/p"
    )
    finding = classify(observation(Stage.SCHEDULE, source(CLONE), events=(event,)))
    assert finding.class_ == "scheduling-insufficient-resources"
    assert finding.evidence[0].file == "observation.json"


def test_an_event_is_cited_where_a_text_repeats_it() -> None:
    said = "x\nFailedScheduling 0/1 nodes are available: 1 Insufficient cpu.\n"
    finding = classify(observation(Stage.SCHEDULE, source(said, SourceKind.EVENT, "events.txt")))
    assert (finding.evidence[0].file, finding.evidence[0].line) == ("events.txt", 2)


def test_what_a_later_stage_proves_transient_is_dropped() -> None:
    said = (
        "FailedScheduling 0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }.\n"
    )
    finding = classify(observation(Stage.READY, source(said, SourceKind.EVENT), source(CLONE)))
    assert finding.class_ == "rootlesskit-clone-eperm"


def test_the_pod_of_the_built_image_is_placed_and_pulled_on_its_own() -> None:
    said = "FailedScheduling 0/1 nodes are available: 1 Insufficient cpu.\n"
    finding = classify(observation(Stage.RUN_IMAGE, source(said, SourceKind.EVENT)))
    assert finding.class_ == "scheduling-insufficient-resources"


def test_output_of_a_stage_that_passed_is_no_evidence() -> None:
    passed = source(CLONE, SourceKind.BUILD, "build/local-copy.txt", Stage.LOCAL_COPY)
    failed = source("#3 ERROR: failed to push r/x: 401 Unauthorized", SourceKind.BUILD, "build/push.txt", Stage.PUSH)
    finding = classify(observation(Stage.PUSH, passed, failed))
    assert finding.class_ == "registry-unauthorized"
    assert finding.candidates == ()


@pytest.mark.parametrize(
    "text",
    ["", "nothing that a rule knows", "auto snapshotter: overlayfs is not available for /x, trying fuse-overlayfs"],
)
def test_what_no_rule_knows_is_counted_and_never_guessed(text: str) -> None:
    finding = classify(observation(Stage.READY, source(f"first\n{text}", stage=Stage.READY)))
    assert finding.class_ == UNCLASSIFIED
    assert (finding.layer, finding.kind) == (None, None)
    assert not finding.builds
    assert not finding.decisive
    if text:
        assert finding.evidence[-1].text == text


def test_stage_is_where_it_surfaced_and_layer_is_the_classs() -> None:
    finding = classify(observation(Stage.PUSH, source(CLONE)))
    assert (finding.stage, finding.layer) == (Stage.PUSH, Layer.ROOTLESSKIT)


def test_a_killed_builder_container_is_known_by_its_name() -> None:
    other = container("client", state="terminated", terminated=ended(137, "Error"))
    finding = classify(observation(Stage.READY, source(CLONE), pods=(pod(container(BUILDER), other),)))
    assert finding.class_ == "rootlesskit-clone-eperm"
