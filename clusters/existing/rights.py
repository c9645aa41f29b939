"""The rights a run needs: those of the manifest that is shipped, asked for one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import yaml

from clusters.errors import UnavailableError
from clusters.existing.kubeconfigs import Place
from clusters.existing.server import Server
from clusters.paths import CHECKOUT

MANIFEST: Final = CHECKOUT / "docs" / "how-to" / "existing-rights.yaml"

#: Everybody who is signed in may ask about themselves (ClusterRole system:basic-user).
_REVIEWS: Final = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@dataclass(frozen=True, kw_only=True, slots=True)
class Right:
    """A verb on a resource, in every namespace."""

    verb: str
    group: str
    #: With its subresource, e.g. `pods/exec`.
    resource: str

    def __str__(self) -> str:
        """Return it as people say it, e.g. `create deployments.apps`."""
        return f"{self.verb} {self.resource}{f'.{self.group}' if self.group else ''}"


@lru_cache(maxsize=4)
def needed(manifest: Path = MANIFEST) -> tuple[Right, ...]:
    """Return every right that the ClusterRoles of the manifest give."""
    roles = [each for each in yaml.safe_load_all(manifest.read_text()) if each and each["kind"] == "ClusterRole"]
    return tuple(
        Right(verb=verb, group=group, resource=resource)
        for role in roles
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    )


def require(server: Server, place: Place) -> None:
    """Raise UnavailableError that names every right that is missing."""
    missing = ", ".join(map(str, _missing(server)))
    if missing:
        raise UnavailableError(
            f"the user of context {place.context!r} may not: {missing}. {MANIFEST} has a role with every right that a "
            "run needs and nothing more: have it applied, and use the ServiceAccount it makes "
            "(docs/how-to/existing-cluster.md)"
        )


def _missing(server: Server) -> Iterator[Right]:
    for right in needed():
        resource, _, subresource = right.resource.partition("/")
        attributes = {"verb": right.verb, "group": right.group, "resource": resource, "subresource": subresource}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        if not server.post(_REVIEWS, review).get("status", {}).get("allowed"):
            yield right
