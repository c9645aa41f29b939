"""Many builds at once on one daemon: all are pushed, some ran side by side, nothing died."""

from __future__ import annotations

from typing import Final

from conformance.model import HOLDS, Facts, ProbeFinding
from conformance.probes import lives, registry
from conformance.probes.buildkit import context, from_base, line, program
from conformance.probes.context import Probe, ProbeRun, found

#: How many builds at once.
BUILDS: Final = 8
#: When it began and ended, in seconds: the node's clock is the same for all of them.
_STEP: Final = "RUN date +%s > /began; sleep 4; date +%s > /ended"


def look(run: ProbeRun) -> Facts:
    """Start all builds at once; read from what was pushed when each of them ran."""
    program(run, daemon=True)
    before = lives.current(run)
    images = [run.image(f"n{number}") for number in range(BUILDS)]
    lines = [
        f"{line(run, '--no-cache', f'--opt=build-arg:NUMBER={number}', push=image)} &"
        for number, image in enumerate(images)
    ]
    run.script("builds.txt", *context(from_base(run, "ARG NUMBER", f"{_STEP}; echo $NUMBER > /number")), *lines, "wait")
    spans: list[tuple[int, int]] = []
    for number, image in enumerate(images):
        kept = registry.files(run, image)
        if "number" in kept and kept["number"].text == str(number):
            spans.append((int(kept["began"].text), int(kept["ended"].text)))
    after = lives.current(run)
    peak = run.in_builder("sh", "-c", lives.PEAK).output.strip()
    return {
        "builds": BUILDS,
        "pushed": len(spans),
        "at_once": max((sum(began <= start < ended for began, ended in spans) for start, _ in spans), default=0),
        "seconds": max((end for _, end in spans), default=0) - min((start for start, _ in spans), default=0),
        "peak_mebibytes": int(peak) // 2**20 if peak.isdigit() else 0,
        "daemon_restarted": (after.uid, after.started) != (before.uid, before.started),
    }


def judge(facts: Facts) -> ProbeFinding:
    """Rank: a daemon that died under the load is worse than builds that failed or waited for each other."""
    values = f"{facts['pushed']} of {facts['builds']} pushed, up to {facts['at_once']} at once in {facts['seconds']} s"
    detail = f"{values}, {facts['peak_mebibytes']} MiB at most"
    names = ("pushed", "at_once", "seconds", "peak_mebibytes", "daemon_restarted")
    if facts["daemon_restarted"]:
        return found(facts, "daemon-died", detail, *names)
    if facts["pushed"] != facts["builds"]:
        return found(facts, "builds-lost", detail, *names)
    if facts["at_once"] == 1:
        return found(facts, "one-at-a-time", detail, *names)
    return found(facts, HOLDS, detail, *names)


PROBE = Probe(
    name="concurrency",
    summary="eight builds at once are all pushed, run side by side, and the daemon outlives them",
    findings={
        "daemon-died": "The builder's container was started anew while the builds ran.",
        "builds-lost": "The registry lacks the image of at least one build.",
        "one-at-a-time": "All builds are pushed, but no two of them ran at the same time.",
    },
    look=look,
    judge=judge,
)
