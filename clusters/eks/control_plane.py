"""The control plane: asked for once, waited for, looked at, removed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from clusters import tags
from clusters.eks import health, waiters
from clusters.eks.aws import Answer, Aws
from clusters.eks.faults import AwsError
from clusters.eks.names import Names
from clusters.eks.pace import Pace
from clusters.errors import ClustersError, UsageError

#: What EKS says of a role that IAM does not show everywhere yet, which takes up to a minute.
_ROLE_UNKNOWN: Final = "could not be assumed"


def versions(aws: Aws) -> tuple[str, ...]:
    """Return the Kubernetes lines in standard support, none when these credentials may not ask."""
    try:
        found = aws.eks("describe_cluster_versions", versionStatus="STANDARD_SUPPORT")["clusterVersions"]
    except AwsError:
        # The creation will be refused where the line does not exist; asking first only saves time.
        return ()
    return tuple(version["clusterVersion"] for version in found)


def check_line(aws: Aws, line: str) -> None:
    """Raise UsageError that lists the choices when EKS does not have a Kubernetes line."""
    offered = versions(aws)
    if offered and line not in offered:
        raise UsageError(
            f"EKS in {aws.region} has no Kubernetes {line} in standard support: choose from {', '.join(offered)}"
        )


def find(aws: Aws, names: Names) -> Answer | None:
    """Return the cluster as AWS describes it, whoever made it, or None. Raises AwsError."""
    try:
        found: Answer = aws.eks("describe_cluster", name=names.cluster)["cluster"]
    except AwsError as error:
        if error.is_gone:
            return None
        raise
    return found


def is_ours(cluster: Answer, names: Names) -> bool:
    """Say whether a cluster was made by us, by its tag."""
    return bool(cluster.get("tags", {}).get(tags.CLUSTER) == names.name)


def create(
    aws: Aws,
    names: Names,
    words: Mapping[str, str],
    *,
    line: str,
    role: str,
    subnets: tuple[str, ...],
    pace: Pace,
) -> None:
    """Ask for the control plane and wait until it is ACTIVE. Raises AwsError, AwsTooSlowError, ClustersError."""
    waiters.until(
        lambda: _ask(aws, names, words, line=line, role=role, subnets=subnets),
        limit=pace.role,
        interval=pace.interval,
        what=f"EKS accepts the role {role}",
    )
    waiters.until(
        lambda: _is_active(aws, names),
        limit=pace.cluster,
        interval=pace.interval,
        what=f"control plane {names.cluster} is ACTIVE",
    )


def remove(aws: Aws, names: Names, pace: Pace) -> None:
    """Remove the control plane if it is ours, and wait until it is gone. Raises AwsError, AwsTooSlowError."""
    asked = False

    def is_gone() -> bool:
        nonlocal asked
        found = find(aws, names)
        if found is None or not is_ours(found, names):
            return True
        asked = health.ask_for_removal(
            found, lambda: aws.eks("delete_cluster", name=names.cluster), asked=asked, what=names.cluster
        )
        return False

    waiters.until(
        is_gone, limit=pace.deletion, interval=pace.interval, what=f"control plane {names.cluster} is removed"
    )


def _ask(aws: Aws, names: Names, words: Mapping[str, str], *, line: str, role: str, subnets: tuple[str, ...]) -> bool:
    try:
        aws.eks(
            "create_cluster",
            name=names.cluster,
            version=line,
            roleArn=role,
            resourcesVpcConfig={"subnetIds": list(subnets), "endpointPublicAccess": True},
            accessConfig={"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": True},
            # Extended support would cost five times as much.
            upgradePolicy={"supportType": "STANDARD"},
            tags=dict(words),
        )
    except AwsError as error:
        if error.code == "InvalidParameterException" and _ROLE_UNKNOWN in error.answer:
            return False
        found = find(aws, names) if error.code == "ResourceInUseException" else None
        if found is None or found.get("tags") != dict(words):
            raise
    return True


def _is_active(aws: Aws, names: Names) -> bool:
    found = find(aws, names)
    if found is None:
        raise ClustersError(f"the control plane {names.cluster} is gone: somebody else deleted it")
    match found["status"]:
        case "ACTIVE":
            return True
        case "CREATING" | "UPDATING" | "PENDING":
            return False
        case status:
            raise health.UnhealthyError(f"control plane {names.cluster}", status, health.issues(found))
