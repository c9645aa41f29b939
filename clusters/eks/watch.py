"""How a cluster is now, as AWS sees it."""

from __future__ import annotations

from clusters.eks import control_plane, health, node_group, removal
from clusters.eks.aws import Aws
from clusters.eks.names import NODE_GROUP, Names


def state(aws: Aws, names: Names) -> str:
    """Say in a word or two how a cluster is. Raises AwsError."""
    found = control_plane.find(aws, names)
    if found is not None and control_plane.is_ours(found, names):
        return str(found["status"]).lower()
    return "half-made" if removal.existing(aws, names) else "gone"


def why_broken(aws: Aws, names: Names) -> str | None:
    """Say what EKS finds wrong with control plane or nodes, or None. Raises AwsError."""
    cluster = control_plane.find(aws, names)
    if cluster is None:
        return f"the control plane {names.cluster} is gone: somebody else deleted it"
    group = node_group.find(aws, names, NODE_GROUP)
    if group is None:
        return f"the node group of {names.cluster} is gone: somebody else deleted it"
    found = (*health.issues(cluster), *health.issues(group))
    return "; ".join(str(issue) for issue in found) or None
