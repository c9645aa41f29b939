"""An archive instead of a push: it is whole, and nothing has reached the registry."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from typing import Any

from conformance.model import HOLDS, Facts, ProbeFinding
from conformance.probes import registry
from conformance.probes.buildkit import context, line, program
from conformance.probes.context import LookBrokeError, Probe, ProbeRun, found, last_line

_TEXT = "kept in an archive"
_ARCHIVE = "image.tar"
#: Stands before the archive in the script's output.
_BEGIN = "conformance-archive:"


def output(run: ProbeRun) -> str:
    """Return the output that is asked for: a name as for a push, but an archive."""
    return f"--output=type=oci,name={run.image('archive')},dest={_ARCHIVE}"


def look(run: ProbeRun) -> Facts:
    """Build into an archive, read it back, and compare what the registry lists before and after."""
    program(run)
    before = registry.repositories(run)
    dockerfile = "FROM scratch\nCOPY hello.txt /hello.txt\n"
    ran = run.script(
        "build.txt",
        "set -eu",
        *context(dockerfile, {"hello.txt": _TEXT}),
        line(run, "--no-cache", output(run)),
        f"echo; echo {_BEGIN}; if [ -f {_ARCHIVE} ]; then base64 {_ARCHIVE}; fi",
    )
    build, _, encoded = ran.output.partition(f"\n{_BEGIN}\n")
    try:
        problem, text = _read(base64.b64decode(encoded))
    except binascii.Error as error:
        raise LookBrokeError(f"the archive did not come whole: {error}") from error
    pushed = set(registry.repositories(run) - before)
    if registry.manifest(run, run.image("archive")) is not None:
        pushed.add(run.image("archive"))
    # `script` keeps all it said; what is wanted of it is the build.
    return {
        "built": ran.ok,
        "said": "" if ran.ok else last_line(build),
        "archive_bytes": len(encoded) * 3 // 4,
        "archive_fault": problem,
        "content": text,
        "pushed": ", ".join(sorted(pushed)),
    }


def judge(facts: Facts) -> ProbeFinding:
    """Rank: what was pushed against the wish is worse than an archive that is not whole."""
    if facts["pushed"]:
        return found(facts, "pushed-anyway", f"the registry got {facts['pushed']}", "pushed")
    if not facts["built"]:
        return found(facts, "archive-not-written", str(facts["said"]), "built", "said")
    if facts["archive_fault"] or facts["content"] != _TEXT:
        detail = str(facts["archive_fault"]) or "the archive's layer does not hold what was copied"
        return found(facts, "archive-not-whole", detail, "archive_fault", "content")
    return found(facts, HOLDS, "the archive is whole, and nothing was pushed", "archive_bytes", "content", "pushed")


def _read(data: bytes) -> tuple[str, str]:
    """Return what is wrong with an OCI archive (image-layout.md of its specification), and its file's text."""
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            every = {member.name: tar.extractfile(member) for member in tar if member.isfile()}
            held = {name: stream.read() for name, stream in every.items() if stream}
        index = json.loads(held["index.json"])
        manifest = json.loads(_blob(held, index["manifests"][0]))
        if "manifests" in manifest:
            manifest = json.loads(_blob(held, manifest["manifests"][0]))
        _blob(held, manifest["config"])
        with tarfile.open(fileobj=io.BytesIO(_blob(held, manifest["layers"][0]))) as layer:
            stream = layer.extractfile("hello.txt")
            return "", stream.read().decode() if stream else ""
    except (KeyError, IndexError, ValueError, tarfile.TarError) as error:
        return f"{type(error).__name__}: {error}"[:200], ""


def _blob(held: Mapping[str, bytes], descriptor: Mapping[str, Any]) -> bytes:
    algorithm, _, digest = str(descriptor["digest"]).partition(":")
    data = held[f"blobs/{algorithm}/{digest}"]
    if hashlib.sha256(data).hexdigest() != digest:
        raise ValueError(f"the blob {digest} is another one")
    return data


PROBE = Probe(
    name="oci-tar",
    summary="an image is written as an OCI archive whose blobs are whole, and the registry gets nothing",
    findings={
        "pushed-anyway": "The registry lists a repository of this cell that it did not list before.",
        "archive-not-written": "The build that should write an archive fails.",
        "archive-not-whole": "A blob is missing or another one, or the layer lacks what was copied.",
    },
    look=look,
    judge=judge,
)
