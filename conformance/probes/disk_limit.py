"""A build that takes more disk than its pod may have: it may be green, and its pod evicted later."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Final

from conformance.errors import WaitError
from conformance.kube import Json
from conformance.model import HOLDS, Facts, ProbeFinding
from conformance.probes.buildkit import context, from_base, line
from conformance.probes.context import Probe, ProbeRun, found, last_line
from conformance.probes.limited import Limited, standing
from conformance.waiting import Deadline, poll

#: Mebibytes that the build writes, and that the pod may have.
_WRITTEN: Final = 96
_LIMIT: Final = "32Mi"
_STEP: Final = f"RUN dd if=/dev/urandom of=/filler bs=1048576 count={_WRITTEN} 2>/dev/null"


def look(run: ProbeRun) -> Facts:
    """Overfill the state's volume of one limited copy of the pod and the ephemeral storage of another; watch both."""
    with ExitStack() as pods:
        every = {
            "volume": pods.enter_context(standing(run, "probe-volume-limit", {}, state_limit=_LIMIT)),
            "storage": pods.enter_context(standing(run, "probe-storage-limit", {"ephemeral-storage": _LIMIT})),
        }
        facts: Facts = {}
        for name, pod in every.items():
            ran = pod.script(f"{name}.txt", "set -eu", *context(from_base(run, _STEP)), line(run, "--no-cache"))
            facts[f"{name}_built"] = ran.ok
            facts[f"{name}_said"] = "" if ran.ok else last_line(ran.output)
        watched = Deadline(run.cell_run.timeouts.eviction)
        for name, pod in every.items():
            evicted = _eviction(pod, within=min(watched.remaining, run.deadline.remaining))
            facts[f"{name}_evicted"] = evicted.get("reason") == "Evicted"
            facts[f"{name}_message"] = str(evicted.get("message", ""))[:300]
        return facts


def judge(facts: Facts) -> ProbeFinding:
    """Rank: a green build that is evicted afterwards is the one that nobody sees who only looks at builds."""
    names = tuple(f"{which}_{what}" for which in ("volume", "storage") for what in ("built", "evicted", "message"))
    for which in ("volume", "storage"):
        if facts[f"{which}_built"] and facts[f"{which}_evicted"]:
            detail = f"a green build, and then: {facts[f'{which}_message']}"
            return found(facts, "green-then-evicted", detail, *names)
    for which in ("volume", "storage"):
        if facts[f"{which}_built"]:
            return found(facts, "limit-not-in-force", f"the {which}'s limit stopped nothing", *names)
    return found(facts, HOLDS, f"the builds failed: {facts['volume_said'] or facts['storage_said']}", *names)


def _eviction(pod: Limited, *, within: float) -> Json:
    """Return the status of the pod once the kubelet has failed it; empty when it does not."""

    def look_once() -> Json | None:
        status: Json = pod.state().get("status", {})
        return status if status.get("phase") == "Failed" else None

    try:
        return poll(look_once, within=within, what="an eviction", every=1.0)
    except WaitError:
        return {}


PROBE = Probe(
    name="disk-limit",
    summary="a build that takes more disk than the pod may have fails, instead of being green and evicted later",
    findings={
        "green-then-evicted": "The build is green, and the kubelet evicts its pod afterwards.",
        "limit-not-in-force": "The build is green, and nothing happens to its pod while it is watched.",
    },
    look=look,
    judge=judge,
    disruptive=True,
)
