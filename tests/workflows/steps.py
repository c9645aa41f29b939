"""Reads the workflows, and runs their steps beside programs that are faked on PATH."""

from __future__ import annotations

import subprocess  # noqa: TID251 - the shell of a job is run as the runner runs it
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from clusters.paths import CHECKOUT

WORKFLOWS: Final = CHECKOUT / ".github" / "workflows"

#: Writes down how it was called; programs that are found on PATH are told apart by their name.
_FAKE: Final = """#!/bin/bash
printf '%s' "$(basename "$0")" >> "$CALLS"
printf ' %q' "$@" >> "$CALLS"
echo >> "$CALLS"
{body}
"""

#: What asks no cluster is really run, by this checkout; `run` goes as far as it goes without one.
_UV: Final = """
if [ "$1" = run ]; then
  while [[ "$1" != conformance ]]; do shift; done
  shift
  case "$1" in
    plan|merge) exec "$PYTHON" -m conformance "$@" ;;
    run) exec "$PYTHON" -m conformance "$@" --plan ;;
  esac
fi
"""

#: What is said to be run by root: the checkout's own command line, or a program that is faked.
_SUDO: Final = """
while [[ "$1" == --preserve-env=* ]]; do shift; done
case "$1" in
  .venv/bin/conformance) shift; exec uv run conformance "$@" ;;
  rm) shift; [[ "$*" == /* || "$*" == *" /"* ]] || exec rm "$@" ;;
esac
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One step of a job that runs shell lines."""

    workflow: str
    job: str
    name: str
    lines: str

    @property
    def id(self) -> str:
        """Return what the tests call it."""
        return f"{self.workflow}-{self.job}-{self.name.replace(' ', '-')}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """How a step ended: its exit code, its output, what it called and what it told the runner."""

    code: int
    output: str
    calls: tuple[str, ...]
    outputs: Mapping[str, str]
    summary: str


def workflow(name: str) -> dict[str, Any]:
    """Return a workflow as GitHub reads it; YAML 1.1 takes the key `on` for true."""
    read = yaml.safe_load((WORKFLOWS / f"{name}.yml").read_text(encoding="utf-8"))
    return {"on" if key is True else str(key): value for key, value in read.items()}


def names() -> list[str]:
    """Return the names of all workflows."""
    return sorted(path.stem for path in WORKFLOWS.glob("*.yml"))


def steps() -> list[Step]:
    """Return every step of every workflow that runs shell lines."""
    return [
        Step(workflow=name, job=job, name=step.get("name", f"step {number}"), lines=step["run"])
        for name in names()
        for job, body in workflow(name)["jobs"].items()
        for number, step in enumerate(body["steps"])
        if "run" in step
    ]


def find(workflow_name: str, job: str, name: str) -> Step:
    """Return one step."""
    return next(step for step in steps() if (step.workflow, step.job, step.name) == (workflow_name, job, name))


def run(step: Step, folder: Path, env: Mapping[str, str], fakes: Mapping[str, str] | None = None) -> Ended:
    """Run a step in a folder, as the runner does: `bash --noprofile --norc -eo pipefail`."""
    programs = folder.parent / f"{folder.name}-bin"
    programs.mkdir(exist_ok=True)
    bodies = {"uv": _UV, "uvx": "", "sudo": _SUDO, "gh": "", "df": "", **(fakes or {})}
    for name, body in bodies.items():
        program = programs / name
        program.write_text(_FAKE.format(body=body), encoding="utf-8")
        program.chmod(0o755)
    told = {key: programs / key for key in ("CALLS", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for path in told.values():
        path.write_text("", encoding="utf-8")
    ended = subprocess.run(
        ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step.lines),
        cwd=folder,
        env={
            "PATH": f"{programs}:/usr/bin:/bin",
            "HOME": str(folder),
            "PYTHON": sys.executable,
            "PYTHONPATH": str(CHECKOUT),
            **{key: str(path) for key, path in told.items()},
            **env,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return Ended(
        code=ended.returncode,
        output=ended.stdout + ended.stderr,
        calls=tuple(told["CALLS"].read_text(encoding="utf-8").splitlines()),
        outputs=dict(line.split("=", 1) for line in told["GITHUB_OUTPUT"].read_text(encoding="utf-8").splitlines()),
        summary=told["GITHUB_STEP_SUMMARY"].read_text(encoding="utf-8"),
    )
