"""The cache is given back: a prune down to a size frees the disk and harms no build."""

from __future__ import annotations

import shlex
from typing import Final

from conformance.model import HOLDS, Facts, ProbeFinding
from conformance.probes import registry
from conformance.probes.buildkit import context, from_base, line, program
from conformance.probes.context import LookBrokeError, Probe, ProbeRun, found, last_line

#: Mebibytes that the build leaves in the cache, and what a prune may keep.
MADE: Final = 64
KEPT: Final = 16
#: What the daemon's own files may take besides.
_SLACK: Final = 8


def look(run: ProbeRun) -> Facts:
    """Fill the cache, prune it down to a size, read its size before and after from the disk, and build again."""
    prune = (*program(run, daemon=True), "prune", f"--keep-storage={KEPT}")
    # Random: a file system or a snapshotter that compresses keeps it all the same.
    step = f"RUN dd if=/dev/urandom of=/filler bs=1048576 count={MADE} 2>/dev/null"
    empty = _on_disk(run)
    filled = run.script("filled.txt", "set -eu", *context(from_base(run, step)), line(run, "--no-cache"))
    before = _on_disk(run)
    pruned = run.script("pruned.txt", shlex.join(prune))
    after = _on_disk(run)
    image = run.image("after")
    again = run.script(
        "after.txt", "set -eu", *context(from_base(run, "RUN echo again > /again")), line(run, "--no-cache", push=image)
    )
    return {
        "filled": filled.ok,
        "pruned": pruned.ok,
        "said": "" if filled.ok and pruned.ok and again.ok else last_line((again if pruned.ok else pruned).output),
        "mebibytes_empty": empty,
        "mebibytes_before": before,
        "mebibytes_after": after,
        "built_again": again.ok and registry.content(run, image, "again") == "again",
    }


def judge(facts: Facts) -> ProbeFinding:
    """Only the disk counts: what a prune says it freed is a text."""
    sizes = f"{facts['mebibytes_before']} MiB before, {facts['mebibytes_after']} MiB after"
    names = ("mebibytes_empty", "mebibytes_before", "mebibytes_after", "built_again")
    if not facts["filled"] or not facts["pruned"]:
        return found(facts, "prune-fails", str(facts["said"]), "filled", "pruned", "said")
    if int(facts["mebibytes_before"]) - int(facts["mebibytes_after"]) < MADE - _SLACK:
        return found(facts, "disk-not-freed", sizes, *names)
    if not facts["built_again"]:
        return found(facts, "prune-breaks-builds", f"{sizes}; then: {facts['said']}", *names)
    return found(facts, HOLDS, sizes, *names)


def _on_disk(run: ProbeRun) -> int:
    """Return the mebibytes of the builder's state. Files of other users that cannot be read are few and small."""
    folder = run.cell_run.cell.builder.state_directory
    ran = run.in_builder("sh", "-c", f"du -sk {shlex.quote(folder)} 2>/dev/null | cut -f 1")
    if not ran.output.strip().isdigit():
        raise LookBrokeError(f"the size of {folder} could not be read: {ran.output.strip()[:200]}")
    return int(ran.output) // 1024


PROBE = Probe(
    name="gc",
    summary="a prune down to a size frees the builder's disk, and the next build works",
    findings={
        "prune-fails": "The build that fills the cache or the prune fails.",
        "disk-not-freed": "The state directory is as large as before, or nearly.",
        "prune-breaks-builds": "After the prune a build fails.",
    },
    look=look,
    judge=judge,
)
