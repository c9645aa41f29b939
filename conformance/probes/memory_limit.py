"""A step that takes more memory than its pod may have."""

from __future__ import annotations

from typing import Final

from conformance.errors import WaitError
from conformance.kube import Json
from conformance.model import HOLDS, Facts, ProbeFinding
from conformance.probes.buildkit import context, from_base, line
from conformance.probes.context import Probe, ProbeRun, found, last_line
from conformance.probes.limited import Limited, standing
from conformance.probes.lives import PEAK
from conformance.waiting import poll

_POD: Final = "probe-memory-limit"
#: Mebibytes: enough for a daemon that builds, little enough to be hit at once.
_LIMIT: Final = 256
#: Nearer to the limit than the largest page is what the kernel never gets; what is below was not at the limit.
_NEAR: Final = 4
#: It keeps all it reads, and there is no end of it.
_STEP: Final = "RUN tail /dev/zero"


def look(run: ProbeRun) -> Facts:
    """Let a step of a limited copy of the pod eat memory; read from the kubelet who died."""
    with standing(run, _POD, {"memory": f"{_LIMIT}Mi"}) as pod:
        ran = pod.script("build.txt", "set -eu", *context(from_base(run, _STEP)), line(run, "--no-cache"))
        died = _death(pod, within=run.cell_run.timeouts.notice * 2)
        peak = "" if died else pod.in_builder(PEAK).strip()
        return {
            "built": ran.ok,
            "said": last_line(ran.output),
            "peak_mebibytes": int(peak) // 2**20 if peak.isdigit() else 0,
            "daemon_died": died is not None,
            "reason": str((died or {}).get("reason", "")),
            "exit_code": int((died or {}).get("exitCode", 0)),
        }


def judge(facts: Facts) -> ProbeFinding:
    """Rank: a daemon that dies with the step takes every other build along; one that dies untold is worse."""
    names = ("built", "daemon_died", "reason", "exit_code", "peak_mebibytes", "said")
    if facts["built"]:
        return found(facts, "limit-not-in-force", "a step that takes all memory was green", *names)
    if facts["daemon_died"] and facts["reason"] != "OOMKilled":
        return found(facts, "oom-not-told", f"the daemon died, and its reason is {facts['reason'] or 'none'}", *names)
    if facts["daemon_died"]:
        detail = f"the daemon died with the step, exit {facts['exit_code']}; the client saw: {facts['said']}"
        return found(facts, "oom-kills-daemon", detail, *names)
    if int(facts["peak_mebibytes"]) < _LIMIT - _NEAR:
        return found(facts, "step-failed-otherwise", str(facts["said"]), *names)
    return found(facts, HOLDS, f"the step was killed alone: {facts['said']}", *names)


def _death(pod: Limited, *, within: float) -> Json | None:
    """Return how the builder's container ended, None when it did not in the time the kubelet needs to tell."""

    def look_once() -> Json | None:
        status = pod.builder()
        return status.get("state", {}).get("terminated") or status.get("lastState", {}).get("terminated") or None

    try:
        return poll(look_once, within=within, what="a death")
    except WaitError:
        return None


PROBE = Probe(
    name="memory-limit",
    summary="a step that takes more memory than the pod may have fails alone, and its daemon lives",
    findings={
        "limit-not-in-force": "The step is green: no limit was in force.",
        "oom-not-told": "The daemon dies with the step, and the kubelet does not say OOMKilled.",
        "step-failed-otherwise": "The step fails, but its pod never had as much memory as it may.",
        "oom-kills-daemon": "The daemon dies with the step (OOMKilled), and with it every other build.",
    },
    look=look,
    judge=judge,
    disruptive=True,
)
