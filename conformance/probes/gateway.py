"""Frontends that are images: by `# syntax=` and through gateway.v0."""

from __future__ import annotations

from conformance.model import HOLDS, Facts, ProbeFinding
from conformance.probes import registry
from conformance.probes.buildkit import context, from_base, line, program
from conformance.probes.context import Probe, ProbeRun, found, last_line

_MARK = "made by a frontend"


def sources(run: ProbeRun) -> tuple[str, str]:
    """Return an image that is a frontend and one that is none."""
    host = run.cell_run.fixtures.registry
    return f"{host}/{registry.FRONTEND}:latest", f"{host}/{registry.BASE}:latest"


def look(run: ProbeRun) -> Facts:
    """Build by both ways with a frontend and with an image that is none."""
    program(run)
    frontend, other = sources(run)
    plain = from_base(run, f"RUN echo {_MARK} > /mark")
    builds = {
        "syntax": (f"# syntax={frontend}\n{plain}", ("--frontend=dockerfile.v0",)),
        "gateway": (plain, ("--frontend=gateway.v0", f"--opt=source={frontend}")),
        "no_frontend_syntax": (f"# syntax={other}\n{plain}", ("--frontend=dockerfile.v0",)),
        "no_frontend_gateway": (plain, ("--frontend=gateway.v0", f"--opt=source={other}")),
    }
    facts: Facts = {}
    for name, (dockerfile, words) in builds.items():
        image = run.image(name.replace("_", "-"))
        ran = run.script(
            f"{name}.txt", "set -eu", *context(dockerfile), line(run, "--no-cache", push=image, frontend=words)
        )
        facts[f"{name}_built"] = ran.ok
        facts[f"{name}_said"] = "" if ran.ok else last_line(ran.output)
        facts[f"{name}_pushed"] = registry.content(run, image, "mark") == _MARK
    return facts


def judge(facts: Facts) -> ProbeFinding:
    """Rank: a frontend that is silently not used shows in the images that are none: they must fail."""
    for name in ("syntax", "gateway"):
        if facts[f"no_frontend_{name}_built"] or facts[f"no_frontend_{name}_pushed"]:
            detail = "an image that is no frontend was named, and the build was green: something else built it"
            return found(facts, "frontend-ignored", detail, f"no_frontend_{name}_built", f"no_frontend_{name}_pushed")
    for name in ("syntax", "gateway"):
        if not (facts[f"{name}_built"] and facts[f"{name}_pushed"]):
            return found(
                facts, f"{name}-fails", str(facts[f"{name}_said"]), f"{name}_built", f"{name}_pushed", f"{name}_said"
            )
    return found(
        facts, HOLDS, "both ways build and push", "syntax_pushed", "gateway_pushed", "no_frontend_gateway_said"
    )


PROBE = Probe(
    name="gateway",
    summary="an image as frontend builds by `# syntax=` and through gateway.v0, and an image that is none does not",
    findings={
        "frontend-ignored": "A build that names an image that is no frontend is green.",
        "syntax-fails": "A build by `# syntax=` fails, or pushes something else.",
        "gateway-fails": "A build through gateway.v0 fails, or pushes something else.",
    },
    look=look,
    judge=judge,
)
