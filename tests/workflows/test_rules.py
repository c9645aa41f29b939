from __future__ import annotations

import re
import shutil
import subprocess  # noqa: TID251 - shellcheck is a program
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.workflows.steps import WORKFLOWS, Step, names, steps, workflow

_PINNED = re.compile(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")


def _jobs() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name in names():
        for job, body in workflow(name)["jobs"].items():
            yield name, job, body


@pytest.mark.parametrize("step", steps(), ids=lambda step: step.id)
def test_the_shell_lines_of_a_step_pass_shellcheck(step: Step) -> None:
    beside = Path(sys.executable).parent
    program = shutil.which("shellcheck", path=str(beside)) or shutil.which("shellcheck")
    assert program is not None, "shellcheck is missing: install the group `tests`"
    said = subprocess.run((program, "--shell=bash", "-"), input=step.lines, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout


@pytest.mark.parametrize("name", names())
def test_every_action_is_pinned_by_commit_and_says_its_version(name: str) -> None:
    lines = (WORKFLOWS / f"{name}.yml").read_text(encoding="utf-8").splitlines()
    uses = [line.strip().removeprefix("- ") for line in lines if "uses: " in line]
    assert uses
    assert [line for line in uses if not _PINNED.fullmatch(line)] == []


def test_one_action_has_one_pin() -> None:
    text = "".join((WORKFLOWS / f"{name}.yml").read_text(encoding="utf-8") for name in names())
    pins = set(re.findall(r"uses: (\S+)@(\S+)", text))
    assert len({action for action, _ in pins}) == len(pins)


@pytest.mark.parametrize("name", names())
def test_a_workflow_grants_nothing_and_has_a_concurrency_group(name: str) -> None:
    read = workflow(name)
    assert read["permissions"] == {}
    assert read["concurrency"]["group"]


@pytest.mark.parametrize(
    ("name", "job", "body"), list(_jobs()), ids=lambda value: value if isinstance(value, str) else "does"
)
def test_a_job_has_a_time_limit_and_says_what_it_may(name: str, job: str, body: dict[str, Any]) -> None:
    assert body["timeout-minutes"] <= 240, (name, job)
    assert body["permissions"], (name, job)


def test_only_these_jobs_may_write_or_sign_in() -> None:
    more = {(name, job): set(body["permissions"]) - {"contents"} for name, job, body in _jobs()}
    assert {key: may for key, may in more.items() if may} == {
        ("nightly", "cloud"): {"id-token"},
        ("nightly", "sweep"): {"id-token"},
        ("nightly", "pages"): {"pages", "id-token"},
        ("nightly", "issue"): {"issues"},
    }
    assert all(body["permissions"].get("contents", "read") == "read" for _, _, body in _jobs())


def test_what_may_sign_in_to_a_cloud_never_runs_in_a_fork_or_for_a_pull_request() -> None:
    triggers = workflow("nightly")["on"]
    assert set(triggers) == {"schedule", "workflow_dispatch"}
    for name, job, body in _jobs():
        if "id-token" in body["permissions"] and job != "pages":
            assert "!github.event.repository.fork" in body["if"], (name, job)
            assert body["environment"] == "cloud"


def test_what_makes_clusters_always_ends_with_the_janitor() -> None:
    for name, job, body in _jobs():
        lines = [step for step in body["steps"] if "conformance run" in step.get("run", "")]
        cleaning = [step for step in body["steps"] if "conformance janitor" in step.get("run", "")]
        if lines:
            assert [step["if"] for step in cleaning] == ["always()"], (name, job)
            assert body["steps"].index(lines[-1]) < body["steps"].index(cleaning[0])


def test_a_checkout_never_leaves_its_token_behind() -> None:
    for name, job, body in _jobs():
        for step in body["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False, (name, job)
