"""What a use of an existing cluster is called here, and which namespaces are nobody's to touch."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Final

from clusters.errors import UsageError

PROVIDER: Final = "existing"

NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")

#: Namespaces of Kubernetes itself, of its distributions, and of what keeps a cluster running.
SYSTEM: Final = ("default", "kube-*", "openshift", "openshift-*", "*-system")


def check(name: str) -> None:
    """Raise UsageError for what cannot be a name."""
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be the name of a use of a cluster: up to 63 lower case letters, digits and dashes"
        )


def is_system(namespace: str) -> bool:
    """Say whether a namespace is one that we never touch, whatever labels it carries."""
    return any(fnmatchcase(namespace, pattern) for pattern in SYSTEM)
