"""Who owns what a build makes: read from the pushed layers, since a green build may have lost it."""

from __future__ import annotations

from typing import Final

from conformance.model import HOLDS, Facts, ProbeFinding
from conformance.probes import registry
from conformance.probes.context import Probe, ProbeRun, found, last_line
from conformance.tools import Build

#: From nothing: a base image with owners of its own would fail before the line that is looked at.
_START: Final = ("FROM scratch", "COPY busybox /bin/busybox", 'SHELL ["/bin/busybox", "sh", "-c"]')
#: What each build does, and which file of the image shows its owner.
COPIED: Final = "1234:2345"
CHOWNED: Final = "3456:4567"
USER: Final = "1000:1000"
_BUILDS: Final = {
    "copy": (f"COPY --chown={COPIED} hello.txt /owned",),
    "chown": (f"RUN /bin/busybox touch /owned && /bin/busybox chown {CHOWNED} /owned",),
    "user": ("RUN /bin/busybox mkdir -m 1777 /data", f"USER {USER}", "RUN /bin/busybox id -u > /data/owned"),
}
_FILES: Final = {"copy": "owned", "chown": "owned", "user": "data/owned"}
_OWNERS: Final = {"copy": COPIED, "chown": CHOWNED, "user": USER}


def look(run: ProbeRun) -> Facts:
    """Build COPY --chown, chown in a RUN, and RUN as another user; read the owners from what was pushed."""
    facts: Facts = {}
    for name, lines in _BUILDS.items():
        driver, image = run.cell_run.driver, run.image(name)
        prepare = driver.context("\n".join((*_START, *lines, "")))
        ran = run.script(
            f"{name}.txt", "set -eu", prepare, "printf hello > hello.txt", driver.script(Build(push=image))
        )
        # What was not pushed by this build must not be read.
        pushed = registry.files(run, image) if ran.ok else {}
        owned = pushed.get(_FILES[name])
        facts[f"{name}_built"] = ran.ok
        facts[f"{name}_said"] = "" if ran.ok else last_line(ran.output)
        facts[f"{name}_owner"] = owned.owner if owned else ""
        if name == "user":
            facts["user_ran_as"] = owned.text if owned else ""
    return facts


def judge(facts: Facts) -> ProbeFinding:
    """Rank: a lost owner in a green build is worse than a refused build."""
    for name in ("copy", "chown", "user"):
        owner = facts[f"{name}_owner"]
        if facts[f"{name}_built"] and (owner != _OWNERS[name] or (name == "user" and facts["user_ran_as"] != "1000")):
            detail = f"the build is green, but its file belongs to {owner or 'nobody'}, not {_OWNERS[name]}"
            if owner == _OWNERS[name]:
                detail = f"the build is green, but its step ran as {facts['user_ran_as'] or 'nobody'}, not 1000"
            ran_as = ("user_ran_as",) if name == "user" else ()
            return found(facts, "ownership-lost", detail, f"{name}_built", f"{name}_owner", *ran_as)
    for finding, name in (("chown-refused", "copy"), ("chown-refused", "chown"), ("user-refused", "user")):
        if not facts[f"{name}_built"]:
            others = [each for each in ("copy", "chown", "user") if each != name and not facts[f"{each}_built"]]
            also = f" (also refused: {', '.join(others)})" if others else ""
            return found(facts, finding, f"{facts[f'{name}_said']}{also}", f"{name}_built", f"{name}_said")
    return found(
        facts, HOLDS, "every owner is in the pushed layers", "copy_owner", "chown_owner", "user_owner", "user_ran_as"
    )


PROBE = Probe(
    name="ownership",
    summary="COPY --chown, chown in a RUN and RUN as another user end in the pushed layers as they were asked for",
    findings={
        "ownership-lost": "A build is green, but the pushed layer says another owner, or the step ran as another user.",
        "chown-refused": "COPY --chown or a chown in a RUN step makes the build fail.",
        "user-refused": "A RUN step as another user makes the build fail.",
    },
    look=look,
    judge=judge,
)
