"""Gate 5: every daemon can build for the platforms that builds need."""

from __future__ import annotations

import re
from typing import Final

from conformance.doctor.client import HANDSHAKE
from conformance.doctor.gate import Gate
from conformance.doctor.installation import Installation
from conformance.doctor.reachable import NO_CLIENT
from conformance.doctor.records import Answer, failed, passed, unproven

_LINE: Final = re.compile(r"^[ \t]*Platforms:[ \t]*(.*?)[ \t]*$", re.MULTILINE)
#: Other names of the same thing (github.com/containerd/platforms, database.go).
_ARCHITECTURES: Final = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "armhf": "arm", "i386": "386"}
_DEFAULT_VARIANTS: Final = {("arm64", "v8"): "", ("arm64", "8"): "", ("amd64", "v1"): "", ("arm", ""): "v7"}
_FORM: Final = re.compile(r"[a-z0-9]+/[a-z0-9_-]+(/[a-z0-9]+)?")


def normalise(platform: str) -> str:
    """Return a platform as BuildKit lists it, e.g. `linux/amd64` for `linux/x86_64`. Raises ValueError."""
    if not _FORM.fullmatch(platform.lower()):
        raise ValueError(platform)
    system, architecture, variant = (*platform.lower().split("/"), "")[:3]
    architecture = _ARCHITECTURES.get(architecture, architecture)
    variant = _DEFAULT_VARIANTS.get((architecture, variant), variant)
    return "/".join(part for part in (system, architecture, variant) if part)


def listed(output: str) -> tuple[tuple[str, ...], ...]:
    """Return the platforms of each worker in the output of `buildctl debug workers -v`."""
    return tuple(
        tuple(each.strip() for each in found.group(1).split(",") if each.strip()) for found in _LINE.finditer(output)
    )


def run(installation: Installation) -> Answer:
    """Ask every daemon behind the Service for the platforms of its workers."""
    client = installation.client
    if client is None:
        return unproven("no client was named, so nobody asked the daemon for its platforms", remedy=NO_CLIENT)
    seen: list[str] = []
    for door in installation.doors():
        call = client.workers(door, verbose=True)
        if not call.ok:
            why = call.not_made or f"{door.title} did not list its workers"
            if call.not_made or call.finding.class_ in HANDSHAKE:
                said = () if call.not_made else (call.last_line,)
                return unproven(why, remedy="Give a client that the daemon lets in: see mtls.", evidence=said)
            return failed(
                why,
                failure_class=call.finding.class_,
                candidates=call.finding.candidates,
                remedy="" if call.finding.class_ else "Read the daemon's log.",
                evidence=(call.last_line,),
            )
        workers = listed(call.output)
        seen += [f"{door.title}: {', '.join(worker) or 'no platform'}" for worker in workers]
        if (lacking := _lacking(workers, installation.platforms)) is not None:
            return _missing(door.title, lacking, seen)
    asked = ", ".join(installation.platforms)
    says = f"{asked}: every worker has it" if asked else "every worker lists its platforms; none was asked for"
    notes = (
        () if asked else ("name the platforms that your builds need: --platform linux/amd64 --platform linux/arm64",)
    )
    return passed(says, evidence=tuple(dict.fromkeys(seen)), notes=notes)


def _lacking(workers: tuple[tuple[str, ...], ...], asked: tuple[str, ...]) -> list[str] | None:
    """Return what some worker lacks (builds land on any of them); empty: there is no worker; None: nothing."""
    if not workers or any(not each for each in workers):
        return []
    lacking = [each for each in asked if any(each not in map(normalise, worker) for worker in workers)]
    return lacking or None


def _missing(title: str, lacking: list[str], seen: list[str]) -> Answer:
    if not lacking:
        return failed(
            f"{title} lists no worker with a platform",
            remedy="Read the daemon's log: its worker could not start, or its configuration switches it off.",
            evidence=tuple(seen),
        )
    return failed(
        f"{title} cannot build for {', '.join(lacking)}",
        failure_class="platform-exec-format-error",
        remedy="Install emulation on its nodes (binfmt_misc; where a DaemonSet does that, look whether it runs there) "
        "and restart the daemon, or put emulators beside it (buildkit-qemu-*); then look at `platforms` in its "
        "configuration.",
        evidence=tuple(seen),
    )


GATE: Final = Gate(
    name="platforms",
    question="Can every daemon build for the platforms that builds need?",
    run=run,
)
