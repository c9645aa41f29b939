"""Texts as they come: quoted, coloured, folded, huge, hostile. Evidence names the line of the original."""

from __future__ import annotations

import json
import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.classify import CLASSES, classify_text
from conformance.classify.details import violations
from conformance.classify.normalise import normalise, readable
from conformance.classify.scheduling import Shortage, weigh
from conformance.model import SourceKind

CLONE = "[rootlesskit:parent] error: failed to start the child: fork/exec /proc/self/exe: operation not permitted"
PUSH = (
    "failed to push r/x:1: push access denied, repository does not exist or may require authorization: "
    "server message: insufficient_scope"
)
PROC = 'error mounting "proc" to rootfs at "/proc": operation not permitted'
NEWUIDMAP = 'failed to setup UID/GID map: newuidmap 11 [0 1000 1] failed: "newuidmap": write to uid_map failed: EPERM'


def yaml(text: str) -> str:
    """Fold a long scalar as YAML does."""
    return "    message: '" + re.sub(r"((?:\S+ ){5})", r"\1\n      ", text) + "'"


@pytest.mark.parametrize(
    "dressed",
    [
        CLONE,
        CLONE.upper(),
        f"\x1b[31m{CLONE}\x1b[0m",
        CLONE.replace("error: ", "\x1b[1;31merror:\x1b[0m "),
        CLONE.replace(" ", "\x1b[K "),
        f"[31mERRO[0m {CLONE}",
        f"{CLONE}\r",
        CLONE.replace(" ", "\t"),
        CLONE.replace(" ", "\xa0"),
        f"2026-11-21T01:37:06.123456789Z stderr F {CLONE}",
        f"E1121 01:27:54.568796   12 x.go:3] {CLONE}",
        f'time="2026-11-21T01:37:06Z" level=error msg="{CLONE}"',
        f"{{'message': \"{CLONE}\"}}",
        json.dumps({"log": CLONE + "\n", "stream": "stderr"}),
        json.dumps(json.dumps({"msg": CLONE})),
        json.dumps(json.dumps(json.dumps({"msg": CLONE}))),
        CLONE.replace("/", "\\/"),
        yaml(CLONE),
        f"  Warning  BackOff  3s (x4 over 1m)  kubelet  {CLONE}",
        f"#5 0.031 {CLONE}",
        f"| {CLONE} |",
    ],
)
def test_the_way_a_message_travels_does_not_matter(dressed: str) -> None:
    for text in (dressed, f"before\n{dressed}\nafter\n", f"before\r\n{dressed}\r\nafter\r\n"):
        assert classify_text(text).class_ == "rootlesskit-clone-eperm"
        assert classify_text(text.encode()).class_ == "rootlesskit-clone-eperm"


@pytest.mark.parametrize(
    ("text", "class_"),
    [
        ("“violates PodSecurity” \u2018x\u2019: violates PodSecurity “baseline:latest”: y", "psa-baseline-violation"),
        ("violates PodSecurity \\u0022restricted:latest\\u0022: z", "psa-restricted-violation"),
        ("violates PodSecurity &#34;restricted:latest&#34;: z", "psa-restricted-violation"),
        (yaml(PUSH), "registry-push-denied"),
        (json.dumps(json.dumps(json.dumps(json.dumps(PROC)))), "executor-proc-mount-eperm"),
    ],
)
def test_quotes_of_every_sort(text: str, class_: str) -> None:
    assert classify_text(text).class_ == class_


@pytest.mark.parametrize("before", [0, 1, 9, 10_000])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_evidence_names_the_line_of_the_original(before: int, end: str) -> None:
    finding = classify_text(f"\x1b[2mquiet \\n \\\\n line\x1b[0m{end}" * before + CLONE + end + f"later{end}" * 3)
    assert (finding.evidence[0].line, finding.evidence[0].text) == (before + 1, CLONE)


def test_folded_lines_count_as_lines() -> None:
    folded = yaml(f"a word or two or more before it: {CLONE}")
    finding = classify_text(f"a: 1\n{folded}\nb: 2\n")
    assert finding.evidence[0].line == 2 + folded[: folded.index("failed to start")].count("\n") > 2
    assert "failed to start" in finding.evidence[0].text


def test_lines_are_found_across_the_borders_of_chunks() -> None:
    line = "x" * 99 + "\n"
    for lines in (2600, 2619, 2620, 2621, 2622, 2640, 5242, 5243):
        finding = classify_text(line * lines + CLONE + "\n" + line * 3000)
        assert finding.evidence[0].line == lines + 1
        assert finding.evidence[0].text == CLONE


def test_context_is_found_across_the_borders_of_chunks() -> None:
    near = "level=warning msg=sandbox\n" + "y" * 300 + "\n"
    for pad in range(261_600, 262_200, 10):
        text = "x" * pad + "\nCreatePodSandbox failed\n" + near + "unshare: no space left on device\n"
        assert classify_text(text).class_ == "userns-max-zero-sandbox"


def test_a_long_line_is_cut_around_the_match() -> None:
    finding = classify_text("a" * 300_000 + " " + CLONE + " " + "b" * 300_000)
    text = finding.evidence[0].text
    assert finding.evidence[0].line == 1
    assert "fork/exec /proc/self/exe: operation not permitted" in text
    assert len(text) < 2000
    assert text.startswith("…")
    assert text.endswith("…")


def test_the_end_of_a_log_full_of_near_misses_is_read() -> None:
    miss = "#7 0.1 curl: dial tcp 10.0.0.1:1234: connect: connection refused\n"
    last = "error: failed to list workers: Unavailable: dial tcp 10.0.0.1:1234: connect: connection refused\n"
    finding = classify_text(miss * 10_000 + "#7 DONE 1.0s\n" + last)
    assert (finding.class_, finding.evidence[0].line) == ("buildkitd-conn-refused", 10_002)


def test_what_a_step_printed_that_ended_well_is_no_evidence() -> None:
    said = "#7 [2/2] RUN try\n#7 0.1 x509: certificate signed by unknown authority\n"
    assert classify_text(f"{said}#7 DONE 0.3s\n").class_ is None
    assert classify_text(f"{said}#7 CACHED\n").class_ is None
    assert classify_text(f"{said}#7 ERROR: exit code: 1\n").class_ == "registry-x509"
    assert classify_text(said).class_ == "registry-x509"


def test_a_step_number_may_be_used_again() -> None:
    failed = "#7 0.1 x509: certificate signed by unknown authority\n#7 ERROR: exit code: 1\n"
    assert classify_text(f"#7 DONE 0.3s\n{failed}").class_ == "registry-x509"
    assert classify_text(f"{failed}#7 0.2 fine\n#7 DONE 0.3s\n").class_ == "registry-x509"


def test_kinds_of_sources_narrow_the_rules() -> None:
    text = "timed out waiting for the condition"
    assert classify_text(text, SourceKind.HELM).class_ == "helm-timeout"
    assert classify_text(text, SourceKind.DAEMON).class_ is None


def test_the_file_is_named() -> None:
    assert classify_text(CLONE, file="logs/x.log").evidence[0].file == "logs/x.log"


@pytest.mark.parametrize("text", ["", b"", "\n", b"\x00" * 1000, b"\xff\xfe" * 1000, "\x1b[", "\\", "\ud800", "\\u00"])
def test_nothing_is_in_nothing(text: str | bytes) -> None:
    assert classify_text(text).class_ is None


PIECES = [
    *(
        CLONE,
        PUSH,
        NEWUIDMAP,
        "#7 0.1 ",
        "#7 DONE",
        "\n",
        "\r\n",
        "\n        ",
        "\x1b[31m",
        "\x1b]8;;",
        '\\"',
        "\\\\",
        "\\n",
    ),
    *(
        '"',
        "'",
        "(",
        ")",
        "((((",
        'violates PodSecurity "baseline:latest": ',
        "would violate PodSecurity",
        "\x00",
        "\xff",
    ),
    *("0/3 nodes are available: ", "99999999999 Insufficient cpu", "newuidmap 1 [", "9" * 50, "\u202e", "\U0001f600"),
    *("operation not permitted", "no space left on device", "/sys/fs/cgroup", "x509: ", "dial tcp ", "exit code: 137"),
    "&quot;",
]


def sound(text: str | bytes) -> None:
    finding = classify_text(text)
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if finding.class_ is None:
        assert finding == type(finding)()
        return
    class_ = CLASSES[finding.class_]
    assert (finding.layer, finding.kind) == (class_.layer, class_.kind)
    assert 1 <= finding.evidence[0].line <= data.count(b"\n") + 1
    assert finding.class_ not in finding.candidates
    assert len(finding.evidence[0].text) < 5000
    assert set(finding.candidates) <= CLASSES.keys()


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.binary(max_size=2000), st.text(max_size=2000)))
def test_arbitrary_input_breaks_nothing(text: str | bytes) -> None:
    sound(text)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_hostile_input_breaks_nothing(text: str) -> None:
    sound(text)


def test_ten_thousand_hostile_inputs_break_nothing() -> None:
    chance = random.Random(20261121)  # noqa: S311
    for _ in range(10_000):
        pieces = [chance.choice(PIECES) for _ in range(chance.randrange(12))]
        noise = chance.randbytes(chance.randrange(60))
        sound("".join(pieces).encode("utf-8", "surrogatepass") + noise)


@pytest.mark.parametrize(
    "hostile",
    [
        "a",
        "(",
        "\\",
        '\\"',
        "\x1b[",
        "\x1b]8;;",
        "\n      a",
        " ",
        "unshare ",
        "cgroup ",
        "x509: ",
        "mount overlay ",
        'violates PodSecurity "baseline:latest": a (',
        "0/3 nodes are available: 1 ",
        "#7 0.1 permission denied\n",
        "newuidmap 1 [1 ",
        "failed to pull image ",
        "lookup ",
    ],
)
def test_a_megabyte_of_near_misses_hides_no_failure_behind_it(hostile: str) -> None:
    # How long this may take is measured by the benchmark of the classifier, not here.
    data = (hostile * (1_000_000 // len(hostile))) + f"\n{CLONE}\n"
    finding = classify_text(data)
    assert "rootlesskit-clone-eperm" in {finding.class_, *finding.candidates}


@given(st.binary(max_size=500))
def test_normalising_keeps_the_count_of_lines(raw: bytes) -> None:
    normal = normalise(raw)
    assert normal.breaks_before(len(normal.text)) == raw.count(b"\n")
    assert all(normal.text[fold : fold + 1] == b" " for fold in normal.folds)


def test_readable_text_has_no_escapes() -> None:
    assert readable(b"  \x1b[31mred\x1b[0m \x07bell\x00 \xff ") == "red  bell  �"


COUNTED = "0/3 nodes are available: "
PREDICATES = "No nodes are available that match all of the predicates: "


@pytest.mark.parametrize(
    ("text", "shortage"),
    [
        (f"{COUNTED}2 Insufficient cpu, 1 node(s) had untolerated taint {{a: b}}.", Shortage.RESOURCES),
        (f"{COUNTED}1 Insufficient memory, 2 node(s) didn't match Pod's node affinity/selector.", Shortage.PLACEMENT),
        (f"{COUNTED}2 Too many pods. preemption: {COUNTED}3 Insufficient cpu", Shortage.PODS),
        (f"{COUNTED}1 node(s) had disk pressure.", Shortage.PLACEMENT),
        (f"{COUNTED}1 node(s) didn't have free ports for the requested pod ports.", Shortage.PLACEMENT),
        ("pod didn't trigger scale-up: 1 max node group size reached", Shortage.RESOURCES),
        (f"{PREDICATES}Insufficient cpu (3), MatchNodeSelector (1).", Shortage.RESOURCES),
        (f"{PREDICATES}PodToleratesNodeTaints (1).", Shortage.PLACEMENT),
        ("0/3 nodes are available.", None),
        ("", None),
    ],
)
def test_the_scheduler_counts_what_nodes_lack(text: str, shortage: Shortage | None) -> None:
    assert weigh(text) is shortage


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('violates PodSecurity "baseline:v1.35": hostPath volumes (volumes "a", "b"), privileged (container "c")',
         'hostPath volumes (volumes "a", "b"); privileged (container "c")'),
        ("host namespaces (hostNetwork=true)", "host namespaces (hostNetwork=true)"),
        ("nothing of the sort", ""),
        ("(((((", ""),
    ],
)  # fmt: skip
def test_violations_are_read_out_of_a_refusal(text: str, said: str) -> None:
    assert violations(text) == said
