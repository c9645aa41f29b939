"""The cache in the registry: what a build exports, another daemon's build can use."""

from __future__ import annotations

import shlex

from conformance.model import HOLDS, Facts, ProbeFinding
from conformance.probes import registry
from conformance.probes.buildkit import context, from_base, line, program
from conformance.probes.context import Probe, ProbeRun, found, last_line

#: What the second stage has besides, so that only the first can come from the cache: `mode=max` keeps that too.
_STAMP = "RUN cat /proc/sys/kernel/random/uuid > /stamp"


def dockerfile(run: ProbeRun, mark: str) -> str:
    """Return a build whose first stage makes a stamp that no two runs share; `mark` tells its last stage apart."""
    first = from_base(run, _STAMP).replace("\n", " AS stamped\n", 1)
    return f"{first}{from_base(run, 'COPY --from=stamped /stamp /stamp', f'RUN echo {mark} > /mark')}"


def look(run: ProbeRun) -> Facts:
    """Build and export; prune and import; prune and build; prune and import what is not there."""
    ctl = program(run, daemon=True)
    reference = run.image("cache")
    prune = shlex.join((*ctl, "prune", "--all"))
    builds = {
        "exported": ("", f"--export-cache=type=registry,ref={reference},mode=max"),
        "imported": (prune, f"--import-cache=type=registry,ref={reference}"),
        "fresh": (prune, ""),
        "missing": (prune, f"--import-cache=type=registry,ref={run.image('nothing-there')}"),
    }
    facts: Facts = {}
    stamps: dict[str, str] = {}
    for name, (before, words) in builds.items():
        image = run.image(name)
        ran = run.script(
            f"{name}.txt",
            "set -eu",
            before,
            *context(dockerfile(run, name)),
            line(run, *filter(None, (words,)), push=image, daemon=True),
        )
        stamps[name] = registry.content(run, image, "stamp") if ran.ok else ""
        facts[f"{name}_built"] = ran.ok
        facts[f"{name}_said"] = "" if ran.ok else last_line(ran.output)
        facts[f"{name}_stamped"] = bool(stamps[name])
        if name == "exported":
            facts["cache_in_registry"] = registry.manifest(run, reference) is not None
    facts["import_kept_the_stamp"] = bool(stamps["exported"]) and stamps["imported"] == stamps["exported"]
    facts["prune_kept_the_stamp"] = bool(stamps["exported"]) and stamps["fresh"] == stamps["exported"]
    return facts


def judge(facts: Facts) -> ProbeFinding:
    """Only the stamp counts: it is the same where a step was not run again, whatever the build says of it."""
    if not facts["exported_built"] or not facts["cache_in_registry"]:
        detail = str(facts["exported_said"]) or "the build was green, but the registry has no cache"
        return found(facts, "cache-not-exported", detail, "exported_built", "cache_in_registry")
    if facts["prune_kept_the_stamp"]:
        detail = "a step was not run again though the cache had been pruned"
        return found(facts, "prune-keeps-cache", detail, "prune_kept_the_stamp")
    if not facts["import_kept_the_stamp"]:
        detail = str(facts["imported_said"]) or "a step was run again though the cache had been imported"
        return found(facts, "cache-not-imported", detail, "imported_built", "import_kept_the_stamp")
    if not (facts["missing_built"] and facts["missing_stamped"]):
        return found(facts, "missing-cache-fatal", str(facts["missing_said"]), "missing_built", "missing_stamped")
    detail = "an imported step was not run again, a pruned one was"
    return found(
        facts, HOLDS, detail, "cache_in_registry", "import_kept_the_stamp", "prune_kept_the_stamp", "missing_built"
    )


PROBE = Probe(
    name="cache",
    summary="a cache exported to the registry with mode=max serves a build after a prune; a missing one does no harm",
    findings={
        "cache-not-exported": "The build with an export failed, or the registry has no cache afterwards.",
        "prune-keeps-cache": "After `prune --all` a step is still not run again.",
        "cache-not-imported": "A step is run again though the cache that has it was imported.",
        "missing-cache-fatal": "An import of a cache that does not exist makes the build fail.",
    },
    look=look,
    judge=judge,
)
