"""The table of answers, as a terminal shows it."""

from __future__ import annotations

import io

from rich.console import Console

from conformance.admission import Answer, Refuser, Verdict
from conformance.report import admission
from conformance.violations import parse


def refused(detail: str) -> Answer:
    text = f'pods "p" is forbidden: violates PodSecurity "restricted:latest": {detail}'
    said = parse(text)
    assert said is not None
    return Answer(
        workload="Pod/p",
        level="restricted@latest",
        verdict=Verdict.REFUSED,
        refused_by=Refuser.POD_SECURITY,
        message=text,
        violations=said.violations,
    )


def shown(*answers: Answer) -> list[list[str]]:
    """Return the words of each line below the heading."""
    stream = io.StringIO()
    admission.show(answers, Console(file=stream, width=200))
    return [line.split() for line in stream.getvalue().splitlines()[1:]]


def test_what_one_container_must_change_stands_together() -> None:
    rows = shown(
        refused(
            'privileged (containers "a", "b" must not set securityContext.privileged=true), '
            'hostPort (container "a" uses hostPort 80), hostPath volumes (volume "v"), host namespaces (hostPID=true)'
        )
    )
    assert [row[:2] for row in rows[1:-1]] == [
        ["a", "hostPort"],
        ["b", "privileged"],
        ["(volume", "v)"],
        ["(pod)", "host"],
    ]
    assert rows[0][:5] == ["Pod/p", "restricted@latest", "refused", "a", "privileged"]


def test_what_may_be_set_on_the_pod_instead_says_so() -> None:
    (either, _) = shown(
        refused('runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true)')
    )
    assert either[-5:] == ["(there", "or", "on", "the", "pod)"]
    rows = shown(refused('runAsUser=0 (pod and container "a" must not set runAsUser=0)'))
    assert [row[-6] for row in rows[:2]] == ["(pod)", "a"]


def test_a_detail_that_names_nobody_is_shown_whole() -> None:
    (row, _) = shown(refused("unknown forbidden reason"))
    assert row[3:] == ["(pod)", "unknown", "forbidden", "reason"]


def test_a_known_failure_comes_with_its_remedy_once() -> None:
    answer = Answer(
        workload="Pod/p",
        level="baseline@latest",
        verdict=Verdict.REFUSED,
        refused_by=Refuser.QUOTA,
        failure_class="resource-quota-exceeded",
        message="exceeded quota",
    )
    rows = shown(answer, answer.model_copy(update={"level": "restricted@latest"}))
    assert [row[1] for row in rows].count("resource-quota-exceeded:") == 1
    assert rows[0][3:] == ["quota", "exceeded", "quota"]
    assert rows[-1] == ["2", "answers:", "0", "admitted,", "2", "refused"]
