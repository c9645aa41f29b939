"""Build secrets: a step gets them, and nothing that is kept holds them."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets as random
import shlex

from conformance.model import HOLDS, Facts, ProbeFinding
from conformance.probes import registry
from conformance.probes.buildkit import context, from_base, line, program
from conformance.probes.context import Probe, ProbeRun, found, last_line

_FILE = "--mount=type=secret,id=file,required=true"
_ENV = "--mount=type=secret,id=variable,env=CONFORMANCE_SECRET,required=true"


def steps() -> tuple[str, ...]:
    """Return the steps that use the secrets: only their digests may stay."""
    return (
        f"RUN {_FILE} sha256sum < /run/secrets/file > /file.sha256",
        f'RUN {_ENV} printf %s "$CONFORMANCE_SECRET" | sha256sum > /variable.sha256',
    )


def look(run: ProbeRun) -> Facts:
    """Hand a secret to a build as a file and as a variable, look for it in all that is kept, and leave it out once."""
    program(run)
    secret, image, missing = random.token_hex(24), run.image("mounted"), run.image("missing")
    dockerfile = from_base(run, *steps())
    ran = run.script(
        "mounted.txt",
        "set -eu",
        *context(dockerfile, {"secret": secret}),
        f"export CONFORMANCE_VARIABLE={shlex.quote(secret)}",
        line(
            run,
            "--no-cache",
            "--secret=id=file,src=secret",
            "--secret=id=variable,env=CONFORMANCE_VARIABLE",
            push=image,
        ),
    )
    without = run.script("missing.txt", "set -eu", *context(dockerfile), line(run, "--no-cache", push=missing))
    inner = registry.image(run, image) if ran.ok else None
    kept = registry.files(run, image, inner) if inner else {}
    digest = hashlib.sha256(secret.encode()).hexdigest()
    log = _daemon_log(run)
    return {
        "built": ran.ok,
        "said": "" if ran.ok else last_line(ran.output),
        "file_mounted": digest in (kept["file.sha256"].text if "file.sha256" in kept else ""),
        "variable_mounted": digest in (kept["variable.sha256"].text if "variable.sha256" in kept else ""),
        "in_layers": inner is not None and any(_holds(layer, secret) for layer in registry.layers(run, image, inner)),
        "in_configuration": inner is not None
        and _holds(json.dumps([inner, registry.configuration(run, image, inner)]).encode(), secret),
        "in_build_log": _holds(ran.output.encode(), secret),
        "in_daemon_log": _holds(log.encode(), secret),
        "missing_built": without.ok,
        "missing_pushed": registry.manifest(run, missing) is not None,
    }


def judge(facts: Facts) -> ProbeFinding:
    """Rank: a secret that is kept anywhere is worse than one that never came."""
    where = ("in_layers", "in_configuration", "in_build_log", "in_daemon_log")
    for name, finding in zip(
        where, ("secret-in-layer", "secret-in-configuration", "secret-in-log", "secret-in-log"), strict=True
    ):
        if facts[name]:
            return found(facts, finding, f"the secret was found {name.replace('_', ' ')}", name)
    if facts["missing_built"] or facts["missing_pushed"]:
        detail = "a build without its required secret was green"
        return found(facts, "missing-secret-ignored", detail, "missing_built", "missing_pushed")
    if not (facts["built"] and facts["file_mounted"] and facts["variable_mounted"]):
        detail = str(facts["said"]) or "the step did not see the secret it was given"
        return found(facts, "secret-not-mounted", detail, "built", "file_mounted", "variable_mounted")
    return found(facts, HOLDS, "mounted, and kept nowhere", "file_mounted", "variable_mounted", *where, "missing_built")


def _holds(data: bytes, secret: str) -> bool:
    """Say whether data has a secret in it, as it is or as base64 writes it."""
    return secret.encode() in data or base64.b64encode(secret.encode()).rstrip(b"=") in data


def _daemon_log(run: ProbeRun) -> str:
    cell_run = run.cell_run
    name = str(run.pod()["metadata"]["name"])
    return cell_run.kube.logs(cell_run.namespace, name, cell_run.builder_container) or ""


PROBE = Probe(
    name="secrets",
    summary="secrets reach a step as file and variable, are in no layer, configuration or log, and may not be missing",
    findings={
        "secret-in-layer": "A pushed layer holds the secret.",
        "secret-in-configuration": "The pushed manifest or configuration (history, environment) holds the secret.",
        "secret-in-log": "The build's output or the daemon's log holds the secret.",
        "missing-secret-ignored": "A build whose required secret is missing is green, or was pushed.",
        "secret-not-mounted": "The step did not get the secret, or the build that uses it failed.",
    },
    look=look,
    judge=judge,
)
