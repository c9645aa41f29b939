"""What the registry really holds: manifests, configurations and layers, read back from its own pod."""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import io
import json
import shlex
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from conformance import fixtures
from conformance.probes.context import LookBrokeError, ProbeRun

Json = dict[str, Any]

#: What builds start from; it has a shell and the users root and user (1000), for amd64 and arm64.
BASE: Final = "library/base"
#: A frontend of BuildKit.
FRONTEND: Final = "library/frontend"

_INDEXES: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_MANIFESTS: Final = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
#: What the script prints of something that is not there.
_MISSING: Final = "-"


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """A file of an image's layers."""

    uid: int
    gid: int
    content: bytes

    @property
    def owner(self) -> str:
        """Return `uid:gid`."""
        return f"{self.uid}:{self.gid}"

    @property
    def text(self) -> str:
        """Return the content as a text without the line end."""
        return self.content.decode(errors="replace").strip()


def get(run: ProbeRun, path: str, *, accept: str = "*/*") -> bytes | None:
    """Return what the registry has at a path below `/v2/`; None: nothing. Raises LookBrokeError when it is silent."""
    root = f"http://{run.cell_run.fixtures.registry}/v2/"
    wget = f"busybox wget -q -O - --header {shlex.quote(f'Accept: {accept}')}"
    # Asked from the registry's own pod: whatever the builder did to its container or its network changes no answer.
    script = (
        f"set -o pipefail; if {wget} {shlex.quote(root + path)} 2>/dev/null | busybox base64; then exit 0; fi\n"
        f"busybox wget -q -O /dev/null {root} && echo {_MISSING}"
    )
    ran = run.cell_run.kube.execute(
        fixtures.NAMESPACE,
        fixtures.REGISTRY,
        fixtures.REGISTRY,
        ["busybox", "sh", "-c", script],
        within=min(run.deadline.remaining, run.cell_run.timeouts.build),
    )
    if not ran.ok:
        raise LookBrokeError(f"the registry did not answer for {path}: {ran.output.strip()[:200]}")
    try:
        return None if ran.output.strip() == _MISSING else base64.b64decode(ran.output)
    except binascii.Error as error:
        raise LookBrokeError(f"the registry's answer for {path} did not come whole: {error}") from error


def manifest(run: ProbeRun, image: str) -> Json | None:
    """Return the manifest or index of `host:port/name:tag` or `...@digest`, None when the registry has none."""
    name, reference = split(run, image)
    data = get(run, f"{name}/manifests/{reference}", accept=", ".join((*_INDEXES, *_MANIFESTS)))
    return None if data is None else dict(json.loads(data))


def images(run: ProbeRun, image: str) -> dict[str, Json]:
    """Return the manifest of each platform of an image, `os/architecture`; attestations are no platform."""
    top = manifest(run, image)
    if top is None:
        return {}
    if top.get("mediaType") not in _INDEXES and "manifests" not in top:
        config = configuration(run, image, top)
        return {f"{config.get('os', '')}/{config.get('architecture', '')}": top}
    found = {}
    name, _ = split(run, image)
    for entry in top.get("manifests", []):
        platform = entry.get("platform", {})
        if platform.get("os") == "unknown":
            continue
        inner = manifest(run, f"{run.cell_run.fixtures.registry}/{name}@{entry['digest']}")
        if inner is not None:
            found[f"{platform.get('os', '')}/{platform.get('architecture', '')}"] = inner
    return found


def image(run: ProbeRun, reference: str) -> Json | None:
    """Return the manifest of an image's first platform, None when the registry has none."""
    return next(iter(images(run, reference).values()), None)


def configuration(run: ProbeRun, image: str, inner: Json) -> Json:
    """Return an image's configuration."""
    return dict(json.loads(blob(run, image, inner["config"]["digest"])))


def blob(run: ProbeRun, image: str, digest: str) -> bytes:
    """Return a blob, checked against its digest. Raises LookBrokeError when it is missing or another one."""
    name, _ = split(run, image)
    data = get(run, f"{name}/blobs/{digest}")
    if data is None or f"sha256:{hashlib.sha256(data).hexdigest()}" != digest:
        raise LookBrokeError(f"the registry does not hold the blob {digest} of {name} whole")
    return data


def layers(run: ProbeRun, image: str, inner: Json) -> Iterator[bytes]:
    """Yield the tar archives of an image's own layers, those of the base image left out."""
    base = f"{run.cell_run.fixtures.registry}/{BASE}:latest"
    known = {layer["digest"] for each in images(run, base).values() for layer in each["layers"]}
    for layer in inner["layers"]:
        if layer["digest"] not in known:
            data = blob(run, image, layer["digest"])
            yield gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data


def files(run: ProbeRun, image: str, inner: Json | None = None) -> Mapping[str, File]:
    """Return the files that an image adds to the base image, by path without the leading slash.

    `inner` is the platform's manifest; without it the first. Nothing when the registry has no such image.
    """
    chosen = inner or next(iter(images(run, image).values()), None)
    found: dict[str, File] = {}
    for archive in layers(run, image, chosen) if chosen else ():
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for member in tar:
                stream = tar.extractfile(member) if member.isfile() else None
                name = member.name.removeprefix("./").lstrip("/")
                content = stream.read() if stream else b""
                found[name] = File(uid=member.uid, gid=member.gid, content=content)
    return found


def content(run: ProbeRun, image: str, path: str) -> str:
    """Return the text of a file that an image adds; empty when there is no such image or file."""
    found = files(run, image).get(path)
    return found.text if found else ""


def repositories(run: ProbeRun) -> frozenset[str]:
    """Return the repositories that this cell has pushed to, other cells' left out."""
    # More than 1000 at once a registry refuses (CNCF distribution, `catalog.maxentries`).
    data = get(run, "_catalog?n=1000")
    if data is None:
        raise LookBrokeError("the registry does not list its repositories")
    names = json.loads(data).get("repositories") or []
    return frozenset(name for name in names if name.startswith(run.cell_run.namespace))


def split(run: ProbeRun, image: str) -> tuple[str, str]:
    """Return name and reference of `host:port/name:tag` or `host:port/name@sha256:...`."""
    rest = image.removeprefix(f"{run.cell_run.fixtures.registry}/")
    name, at, digest = rest.partition("@")
    if at:
        return name, digest
    name, _, tag = rest.rpartition(":")
    return name, tag
