"""Read the API as far as our rights go, and remember which right was missing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final, Protocol

from conformance.errors import ApiError
from conformance.kube import Json, Ran

#: How the API server refuses for want of a right (k8s.io/apiserver, pkg/endpoints/handlers/responsewriters/errors.go).
_DENIED: Final = re.compile(
    r'cannot (?P<verb>\S+) (?:resource "(?P<resource>[^"]+)" in API group "(?P<group>[^"]*)"|path "(?P<path>[^"]+)")'
    r'(?: in the namespace "(?P<namespace>[^"]+)")?'
)


class Reads(Protocol):
    """What the doctor does with an API: it reads, and runs `buildctl` in a client."""

    def fetch(self, path: str, **query: str) -> Json | None:
        """Return what lies at a path; None where nothing does. Raises ApiError."""

    def logs(self, namespace: str, pod: str, container: str, *, previous: bool = False) -> str | None:
        """Return a container's log, or None where it cannot be had."""

    def execute(self, namespace: str, pod: str, container: str, argv: list[str], *, within: float) -> Ran:
        """Run a command in a container. Raises ApiError when it could not be started."""


class ForbiddenError(ApiError):
    """A right is missing; `right` says which, e.g. `list nodes`."""

    def __init__(self, error: ApiError) -> None:
        """Read the right out of the API server's refusal."""
        self.right = _right(str(error))
        super().__init__(f"forbidden: {self.right}", status=error.status, reason=error.reason, body=error.body)


class Reader:
    """The API, read-only."""

    def __init__(self, api: Reads) -> None:
        """Read through `api`; nothing is missing yet."""
        self._api = api
        self._missing: list[str] = []
        self._overlooked: list[str] = []

    def take_missing(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the rights missed since the last call: those that matter, and those that would only have told more."""
        taken = tuple(dict.fromkeys(self._missing)), tuple(dict.fromkeys(self._overlooked))
        self._missing, self._overlooked = [], []
        return taken

    def one(self, path: str) -> Json | None:
        """Return an object, None where there is none. Raises ForbiddenError, ApiError."""
        try:
            return self._api.fetch(path)
        except ApiError as error:
            raise _told(error) from error

    def listed(self, path: str, **query: str) -> list[Json]:
        """Return the items of a list, none where the kind is not known. Raises ForbiddenError, ApiError."""
        try:
            items: Sequence[Json] = (self._api.fetch(path, **query) or {}).get("items") or []
        except ApiError as error:
            raise _told(error) from error
        return list(items)

    def listed_if_allowed(self, path: str, *, vital: bool = True, **query: str) -> list[Json]:
        """Return the items of a list; where that is forbidden none, and remember so. Raises ApiError."""
        try:
            return self.listed(path, **query)
        except ForbiddenError as error:
            (self._missing if vital else self._overlooked).append(error.right)
            return []

    def one_if_allowed(self, path: str) -> Json | None:
        """Return an object that would tell more; None where there is none or it may not be read. Raises ApiError."""
        try:
            return self.one(path)
        except ForbiddenError as error:
            self._overlooked.append(error.right)
            return None

    def log_tail(self, namespace: str, pod: str, container: str, *, previous: bool) -> str:
        """Return a container's log, empty where it cannot be had."""
        said = self._api.logs(namespace, pod, container, previous=previous)
        if said is None and not previous:
            self._overlooked.append(f"get pods/log in namespace {namespace}, if {pod} has a log at all")
        return said or ""

    def execute(self, namespace: str, pod: str, container: str, argv: list[str], *, within: float) -> Ran:
        """Run a command in a container. Raises ForbiddenError, ApiError."""
        try:
            return self._api.execute(namespace, pod, container, argv, within=within)
        except ApiError as error:
            raise _told(error) from error


def _told(error: ApiError) -> ApiError:
    return ForbiddenError(error) if error.status == HTTPStatus.FORBIDDEN else error


def _right(message: str) -> str:
    found = _DENIED.search(message)
    if found is None:
        # A cloud's or a webhook's own words.
        return message
    resource = found["path"] or found["resource"] + (f".{found['group']}" if found["group"] else "")
    where = f" in namespace {found['namespace']}" if found["namespace"] else ""
    return f"{found['verb']} {resource}{where}"
