"""Other architectures: what the worker lists, what a RUN step does, what is pushed."""

from __future__ import annotations

import shlex
from typing import Final

from conformance.model import HOLDS, Facts, ProbeFinding
from conformance.probes import registry
from conformance.probes.buildkit import context, from_base, line, program
from conformance.probes.context import Probe, ProbeRun, found, last_line

#: Platforms of the fixtures' base image, and what uname(1) says there.
_MACHINES: Final = {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}
_BOTH: Final = f"--opt=platform={','.join(_MACHINES)}"


def look(run: ProbeRun) -> Facts:
    """List the worker's platforms; build for two architectures with a COPY alone and with a RUN; read both back."""
    workers = (*program(run, daemon=True), "debug", "workers", "--format", "{{json .}}")
    machine = run.script("machine.txt", "uname -m").output.strip()
    foreign = next((platform for platform, name in _MACHINES.items() if name != machine), "")
    listed = run.script("workers.txt", shlex.join(workers))
    copied, ran = run.image("copied"), run.image("ran")
    copy = run.script(
        "copied.txt",
        "set -eu",
        *context(from_base(run, "COPY hello.txt /hello.txt"), {"hello.txt": "hello"}),
        line(run, "--no-cache", _BOTH, push=copied),
    )
    # The shell starts another program: an emulator that runs only the first one is none.
    step = "RUN uname -m > /machine && sh -c 'uname -m' > /machine-of-child"
    execute = run.script("ran.txt", "set -eu", *context(from_base(run, step)), line(run, "--no-cache", _BOTH, push=ran))
    pushed = registry.images(run, ran) if execute.ok else {}
    inner = pushed.get(foreign)
    kept = registry.files(run, ran, inner) if inner else {}
    return {
        "foreign": foreign,
        "listed": _lists(listed.output, foreign),
        "copy_built": copy.ok,
        "copy_said": "" if copy.ok else last_line(copy.output),
        "copy_platforms": ", ".join(sorted(registry.images(run, copied))) if copy.ok else "",
        "run_built": execute.ok,
        "run_said": "" if execute.ok else last_line(execute.output),
        "run_platforms": ", ".join(sorted(pushed)),
        "run_machine": kept["machine"].text if "machine" in kept else "",
        "run_machine_of_child": kept["machine-of-child"].text if "machine-of-child" in kept else "",
    }


def judge(facts: Facts) -> ProbeFinding:
    """Rank: an index that lacks an architecture is worse than a step that cannot run."""
    both = ", ".join(sorted(_MACHINES))
    foreign = str(facts["foreign"])
    if not facts["copy_built"] or facts["copy_platforms"] != both:
        detail = str(facts["copy_said"]) or f"the registry has {facts['copy_platforms'] or 'no platform'}"
        return found(facts, "index-incomplete", detail, "copy_built", "copy_platforms")
    if facts["run_built"]:
        if facts["run_platforms"] != both:
            return found(facts, "index-incomplete", f"the registry has {facts['run_platforms']}", "run_platforms")
        said = {str(facts["run_machine"]), str(facts["run_machine_of_child"])}
        if said != {_MACHINES.get(foreign, "")}:
            detail = f"a step for {foreign} ran on {', '.join(sorted(said))}"
            return found(facts, "wrong-architecture", detail, "run_machine", "run_machine_of_child")
        return found(
            facts, HOLDS, f"a step for {foreign} ran on {facts['run_machine']}", "run_platforms", "run_machine"
        )
    if facts["listed"]:
        detail = f"the worker lists {foreign}, but a step for it fails: {facts['run_said']}"
        return found(facts, "listed-but-fails", detail, "run_built", "listed", "run_said")
    return found(
        facts, "no-emulation", f"a step for {foreign} fails: {facts['run_said']}", "run_built", "listed", "run_said"
    )


def _lists(workers: str, platform: str) -> bool:
    """Say whether `buildctl debug workers` in JSON names a platform."""
    system, _, architecture = platform.partition("/")
    return f'"architecture":"{architecture}"' in workers.replace(" ", "") and f'"os":"{system}"' in workers.replace(
        " ", ""
    )


PROBE = Probe(
    name="platforms",
    summary="an image for two architectures is pushed as one index, and a step for the foreign one really runs on it",
    findings={
        "index-incomplete": "The registry lacks an architecture that was built for, even without any RUN step.",
        "wrong-architecture": "A step for the foreign architecture is green, but ran on another one.",
        "listed-but-fails": "The worker lists the foreign architecture, but a step for it fails.",
        "no-emulation": "The worker does not list the foreign architecture, and a step for it fails.",
    },
    look=look,
    judge=judge,
)
