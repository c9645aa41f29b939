"""What a registry says about an image: the digest that a tag means now (OCI distribution-spec, pulling manifests)."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from http import HTTPStatus
from typing import Final

from clusters.errors import ClustersError

#: registry/repository, then a tag, a digest, or both (the registry is never left out: that would mean Docker Hub).
REFERENCE: Final = re.compile(
    r"^(?P<registry>[a-z0-9.-]+\.[a-z0-9.-]+(?::\d+)?|localhost(?::\d+)?)/(?P<repository>[a-z0-9._/-]+)"
    r"(?P<tag>:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?P<digest>@sha256:[0-9a-f]{64})?$"
)

#: Seconds one question may take.
PATIENCE: Final = 5.0

_MANIFESTS: Final = (
    "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
)
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_CHALLENGE: Final = re.compile(r'(\w+)="([^"]*)"')

#: docker.io is a name; this host answers for it.
_HOSTS: Final = {"docker.io": "registry-1.docker.io"}


class RegistryError(ClustersError):
    """A registry could not be asked or did not say."""


def digest_of(reference: str, *, timeout: float = PATIENCE) -> str:
    """Return the digest a reference means now, asking without an account. Raises RegistryError. `timeout`: seconds."""
    parts = REFERENCE.match(reference)
    if parts is None:
        raise RegistryError(f"{reference!r} is no full image reference (registry/repository:tag)")
    name = parts["registry"]
    # As Docker does: a registry on this machine is spoken to without TLS.
    scheme = "http" if re.fullmatch(r"(localhost|127\.0\.0\.1)(:\d+)?", name) else "https"
    what = (parts["digest"] or parts["tag"] or ":latest")[1:]
    url = f"{scheme}://{_HOSTS.get(name, name)}/v2/{parts['repository']}/manifests/{what}"
    try:
        return _ask(url, timeout)
    except (OSError, ValueError) as error:
        raise RegistryError(f"{name} did not say what it is now: {error}") from error


def _ask(url: str, timeout: float) -> str:
    try:
        headers = _head(url, None, timeout)
    except urllib.error.HTTPError as error:
        if error.code != HTTPStatus.UNAUTHORIZED:
            raise
        headers = _head(url, _token(error.headers.get("WWW-Authenticate") or "", timeout), timeout)
    digest = headers.get("Docker-Content-Digest", "")
    if not _DIGEST.fullmatch(digest):
        raise ValueError("its answer has no digest")
    return digest


def _head(url: str, token: str | None, timeout: float) -> dict[str, str]:
    request = urllib.request.Request(url, method="HEAD", headers={"Accept": _MANIFESTS})  # noqa: S310 - built above
    if token is not None:
        request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, timeout=timeout) as answer:  # noqa: S310 - built above
        return dict(answer.headers.items())


def _token(challenge: str, timeout: float) -> str:
    """Get a token for the asking (distribution-spec, token authentication)."""
    fields = dict(_CHALLENGE.findall(challenge))
    realm = fields.pop("realm", "")
    if not challenge.startswith("Bearer ") or not realm.startswith(("https://", "http://127.0.0.1:")):
        raise ValueError("it wants an account")
    url = f"{realm}?{urllib.parse.urlencode({key: fields[key] for key in ('service', 'scope') if key in fields})}"
    with urllib.request.urlopen(url, timeout=timeout) as answer:  # noqa: S310 - checked above
        body = json.loads(answer.read(64 * 1024))
    return str(body.get("token") or body.get("access_token") or "")
