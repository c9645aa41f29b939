"""How long the certificates of daemon and client are valid, read from the Secrets they are mounted from."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cryptography import x509

from conformance.doctor.installation import Installation
from conformance.kube import Json

#: A certificate that ends sooner is worth a remark.
SOON: Final = dt.timedelta(days=14)
_FLAG: Final = "--tlscert"


class Side(StrEnum):
    """Whose certificate it is."""

    DAEMON = "daemon"
    CLIENT = "client"


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """A certificate that was read."""

    side: Side
    #: `Secret/name key`.
    where: str
    not_before: dt.datetime
    not_after: dt.datetime

    def is_valid(self, now: dt.datetime) -> bool:
        """Say whether it is in force."""
        return self.not_before <= now <= self.not_after

    def says(self, now: dt.datetime) -> str:
        """Return what it is and when it ends."""
        soon = ", which is soon" if now <= self.not_after <= now + SOON else ""
        span = f"valid from {self.not_before:%Y-%m-%d %H:%M} to {self.not_after:%Y-%m-%d %H:%M} UTC"
        return f"the {self.side}'s certificate ({self.where}) is {span}{soon}"


def read(installation: Installation) -> tuple[Known, ...]:
    """Return the certificates that can be found and read. Raises ApiError; a missing right is remembered."""
    found = {(Side.DAEMON, *place) for place in _of_daemons(installation)} | {
        (Side.CLIENT, *place) for place in _of_client(installation)
    }
    return tuple(known for side, *place in sorted(found) for known in _load(installation, side, *place))


def _of_daemons(installation: Installation) -> Iterator[tuple[str, str, str]]:
    """Yield namespace, Secret and key of what the daemons are told to use."""
    selector = installation.selector()
    for pod in installation.pods(selector) if selector else []:
        for container in pod["spec"]["containers"]:
            if (path := _argument(container, _FLAG)) and (place := _mounted(pod["spec"], container, path)):
                yield installation.namespace, *place


def _of_client(installation: Installation) -> Iterator[tuple[str, str, str]]:
    client = installation.client
    if client is None or client.tls is None or not client.tls.cert:
        return
    pod = installation.reader.one_if_allowed(f"/api/v1/namespaces/{client.namespace}/pods/{client.pod}")
    for container in (pod or {"spec": {"containers": []}})["spec"]["containers"]:
        if container["name"] == client.container and (
            place := _mounted((pod or {})["spec"], container, client.tls.cert)
        ):
            yield client.namespace, *place


def _load(installation: Installation, side: Side, namespace: str, name: str, key: str) -> Iterator[Known]:
    secret = installation.reader.one_if_allowed(f"/api/v1/namespaces/{namespace}/secrets/{name}")
    raw = ((secret or {}).get("data") or {}).get(key, "")
    try:
        # The first one is the holder's own; what follows is its chain (RFC 8446, section 4.4.2).
        own = x509.load_pem_x509_certificates(base64.b64decode(raw))[0]
    except (ValueError, binascii.Error, IndexError):
        return
    yield Known(
        side=side,
        where=f"Secret {namespace}/{name}, {key}",
        not_before=own.not_valid_before_utc,
        not_after=own.not_valid_after_utc,
    )


def _argument(container: Json, flag: str) -> str:
    words = [*(container.get("command") or []), *(container.get("args") or [])]
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word == flag:
            return str(following)
        if word.startswith(f"{flag}="):
            return str(word.partition("=")[2])
    return ""


def _mounted(spec: Json, container: Json, path: str) -> tuple[str, str] | None:
    """Return the Secret and its key behind a path in a container."""
    volumes = {each["name"]: each for each in spec.get("volumes") or []}
    # The deepest mount that holds the path is the one that shows.
    for mount in sorted(container.get("volumeMounts") or [], key=lambda each: -len(each["mountPath"])):
        top = mount["mountPath"].rstrip("/")
        if path != top and not path.startswith(f"{top}/"):
            continue
        inside = "/".join(part for part in (mount.get("subPath", ""), path[len(top) :].strip("/")) if part)
        return _key(volumes.get(mount["name"]) or {}, inside)
    return None


def _key(volume: Json, inside: str) -> tuple[str, str] | None:
    if "secret" in volume:
        sources = [{**volume["secret"], "name": volume["secret"].get("secretName", "")}]
    else:
        sources = [each["secret"] for each in (volume.get("projected") or {}).get("sources") or [] if "secret" in each]
    for source in sources:
        items = {each["path"]: each["key"] for each in source.get("items") or []}
        if (key := items.get(inside) if items else inside) is not None:
            return source["name"], key
    return None
