"""The image of the git context is pushed, and the registry holds what was pushed."""

from __future__ import annotations

import hashlib
import json
import re

from conformance.model import SourceKind, Stage
from conformance.stages.build import build
from conformance.stages.context import CellRun, StageFailedError, Step

_METADATA = "/tmp/conformance-metadata.json"  # noqa: S108 - inside the client's container
_DIGEST = re.compile(r"^sha256:[0-9a-f]{64}$")
_MARK = "conformance-metadata:"


def run(cell_run: CellRun) -> str:
    """Build and push, then ask the registry for the manifest by the digest the builder reported."""
    output = build(
        cell_run,
        Stage.PUSH,
        (
            f"--opt=context={cell_run.git_context}",
            f"--output=type=image,name={cell_run.image_name}:conformance,push=true",
            f"--metadata-file={_METADATA}",
        ),
        then=f'printf "\\n{_MARK}%s\\n" "$(tr -d "\\n" < {_METADATA})"',
    )
    digest = _reported_digest(output)
    _verify(cell_run, digest)
    cell_run.pushed_digest = digest
    return f"{cell_run.image_name}@{digest}"


def _reported_digest(output: str) -> str:
    """Return the pushed digest. A build that reports none has pushed nothing that can be checked."""
    line = next((line for line in output.splitlines() if line.startswith(_MARK)), "")
    try:
        digest = str(json.loads(line.removeprefix(_MARK)).get("containerimage.digest", ""))
    except ValueError:
        digest = ""
    if not _DIGEST.match(digest):
        raise StageFailedError("the build ended well, but reported no image digest")
    return digest


def _verify(cell_run: CellRun, digest: str) -> None:
    """Fetch the manifest and hash it: a green build is not the verdict."""
    url = f"http://{cell_run.fixtures.registry}/v2/{cell_run.namespace}/manifests/{digest}"
    accept = "Accept: application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
    ran = cell_run.in_client(
        ["busybox", "wget", "-q", "-O", "-", "--header", accept, url], within=cell_run.timeouts.command
    )
    cell_run.note("build/manifest.json", SourceKind.CONTAINER, ran.output, stage=Stage.PUSH)
    found = f"sha256:{hashlib.sha256(ran.output.encode()).hexdigest()}"
    if not ran.ok or found != digest:
        raise StageFailedError(f"the builder reported {digest}, but the registry does not hold it: {ran.output[:200]}")


STEP = Step(stage=Stage.PUSH, summary="the image is pushed and the registry holds its digest", run=run)
