"""The image of the git context is pushed, and the registry holds what was pushed."""

from __future__ import annotations

import hashlib
import re

from conformance import fixtures
from conformance.model import SourceKind, Stage
from conformance.stages.build import build
from conformance.stages.context import CellRun, StageFailedError, Step
from conformance.tools import DIGEST_MARK, Build

#: What a tag may name: an image, or an index of images (buildx pushes one, with its attestations).
_MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_DIGEST = re.compile(r"^sha256:[0-9a-f]{64}$")


def run(cell_run: CellRun) -> str:
    """Build and push, then ask the registry for the manifest by the digest the builder reported."""
    wanted = Build(git=cell_run.git_context, push=f"{cell_run.image_name}:conformance")
    output = build(cell_run, Stage.PUSH, wanted)
    digest = _reported_digest(output)
    _verify(cell_run, digest)
    cell_run.pushed_digest = digest
    return f"{cell_run.image_name}@{digest}"


def _reported_digest(output: str) -> str:
    """Return the pushed digest. A build that reports none has pushed nothing that can be checked."""
    # The last one: before it, a step of the build itself may have printed such a line.
    line = next((line for line in reversed(output.splitlines()) if line.startswith(DIGEST_MARK)), "")
    digest = line.removeprefix(DIGEST_MARK).strip()
    if not _DIGEST.match(digest):
        raise StageFailedError("the build ended well, but reported no image digest")
    return digest


def _verify(cell_run: CellRun, digest: str) -> None:
    """Fetch the manifest and hash it: a green build is not the verdict."""
    url = f"http://{cell_run.fixtures.registry}/v2/{cell_run.namespace}/manifests/{digest}"
    accept = f"Accept: {', '.join(_MANIFESTS)}"
    # Asked from the registry's own pod: whatever the builder did to its container or its network changes no answer.
    ran = cell_run.kube.execute(
        fixtures.NAMESPACE,
        fixtures.REGISTRY,
        fixtures.REGISTRY,
        ["busybox", "wget", "-q", "-O", "-", "--header", accept, url],
        within=cell_run.timeouts.command,
    )
    cell_run.note("build/manifest.json", SourceKind.CONTAINER, ran.output, stage=Stage.PUSH)
    found = f"sha256:{hashlib.sha256(ran.output.encode()).hexdigest()}"
    if not ran.ok or found != digest:
        raise StageFailedError(f"the builder reported {digest}, but the registry does not hold it: {ran.output[:200]}")


STEP = Step(stage=Stage.PUSH, summary="the image is pushed and the registry holds its digest", run=run)
