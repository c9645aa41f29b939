"""A step that kills its daemon, as the references try it: `RUN pkill buildkitd`."""

from __future__ import annotations

from conformance.model import HOLDS, Facts, ProbeFinding
from conformance.probes import lives, registry
from conformance.probes.buildkit import context, from_base, line, program
from conformance.probes.context import Probe, ProbeRun, found, last_line

#: Asked to end first, then made to; the step ends well whether it met a daemon or not.
_STEP = "RUN pkill buildkitd; sleep 1; pkill -KILL buildkitd; echo survived > /survived"


def look(run: ProbeRun) -> Facts:
    """Build that step; compare the first process of the builder's container before and after, and build once more."""
    program(run, daemon=True)
    before = lives.current(run)
    killing, after_image = run.image("killing"), run.image("after")
    ran = run.script("killing.txt", "set -eu", *context(from_base(run, _STEP)), line(run, "--no-cache", push=killing))
    after = lives.usable_again(run)
    again = run.script(
        "after.txt",
        "set -eu",
        *context(from_base(run, "RUN echo again > /again")),
        line(run, "--no-cache", push=after_image),
    )
    return {
        "built": ran.ok,
        "client_said": "" if ran.ok else last_line(ran.output),
        "step_survived": registry.content(run, killing, "survived") == "survived",
        "daemon_restarted": (after.uid, after.started) != (before.uid, before.started),
        "restarts_counted": lives.counted(run, before),
        "builds_again": again.ok and registry.content(run, after_image, "again") == "again",
    }


def judge(facts: Facts) -> ProbeFinding:
    """Let the first process of the container decide: after a restart the pod is Ready again and shows nothing."""
    names = ("built", "client_said", "daemon_restarted", "restarts_counted", "builds_again")
    if not facts["builds_again"]:
        return found(facts, "daemon-stays-dead", "no build works after the step", *names)
    if facts["daemon_restarted"]:
        detail = f"the daemon was started anew ({facts['restarts_counted']} restarts counted): {facts['client_said']}"
        return found(facts, "step-can-kill-daemon", detail, *names)
    if not facts["step_survived"]:
        return found(facts, "step-not-run", f"the daemon lives, but the step failed: {facts['client_said']}", *names)
    return found(facts, HOLDS, "the step met no daemon, and the daemon lives", *names)


PROBE = Probe(
    name="kill",
    summary="`RUN pkill buildkitd` kills nothing",
    findings={
        "step-can-kill-daemon": "The builder's container was started anew: the step killed it.",
        "daemon-stays-dead": "After the step no build works any more.",
        "step-not-run": "The step did not come to its end, though the daemon lives.",
    },
    look=look,
    judge=judge,
    disruptive=True,
)
