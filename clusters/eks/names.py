"""What the parts of a cluster are called in AWS, and where its files are here. Everything follows from its name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clusters import paths
from clusters.errors import UsageError

PROVIDER: Final = "eks"

#: Begins the name of each of our clusters and roles.
PREFIX: Final = "bc-"

#: Where our roles are in IAM: an account's policies can allow these alone.
ROLE_PATH: Final = "/build-conformance/"

#: A role's name has at most 64 characters (IAM, CreateRole), the longest of ours being `bc-NAME-cluster`.
NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,50}[a-z0-9])?")

NODE_GROUP: Final = "nodes"


@dataclass(frozen=True, kw_only=True, slots=True)
class Names:
    """The names of one cluster; `name` is the one that was asked for."""

    name: str

    @property
    def cluster(self) -> str:
        """Return the name of the EKS cluster and of what belongs to it in EC2."""
        return f"{PREFIX}{self.name}"

    @property
    def cluster_role(self) -> str:
        """Return the name of the role of the control plane."""
        return f"{self.cluster}-cluster"

    @property
    def node_role(self) -> str:
        """Return the name of the role of the nodes."""
        return f"{self.cluster}-node"

    @property
    def folder(self) -> Path:
        """Return the folder of kubeconfig and record."""
        return paths.state_dir() / PROVIDER / self.name

    @property
    def kubeconfig(self) -> Path:
        """Return the kubeconfig, mode 0600; it holds no token, see `token`."""
        return self.folder / "kubeconfig"

    @property
    def record(self) -> Path:
        """Return the file that says where the cluster was made."""
        return self.folder / "cluster.json"


def names_of(name: str) -> Names:
    """Return the names of a cluster. Raises UsageError for a name that AWS would not take."""
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be the name of an EKS cluster: use at most 52 lower-case letters, digits and hyphens, "
            "beginning and ending with a letter or digit"
        )
    return Names(name=name)
