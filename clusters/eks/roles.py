"""The two roles: what the control plane may do, and what the nodes may do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from clusters import tags
from clusters.eks import kinds
from clusters.eks.aws import Answer, Aws
from clusters.eks.faults import AwsError
from clusters.eks.names import ROLE_PATH, Names
from clusters.eks.pace import Pace
from clusters.eks.releases import release

#: AWS' own policies (docs.aws.amazon.com, EKS cluster IAM role, EKS node IAM role); nodes only pull from ECR.
CLUSTER_POLICIES: Final = ("AmazonEKSClusterPolicy",)
NODE_POLICIES: Final = ("AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryPullOnly")


def create(aws: Aws, names: Names, words: Mapping[str, str]) -> tuple[str, str]:
    """Make both roles and return their ARNs, the control plane's first. Raises AwsError."""
    return (
        _create(aws, names.cluster_role, "eks", CLUSTER_POLICIES, words),
        _create(aws, names.node_role, "ec2", NODE_POLICIES, words),
    )


def remove(aws: Aws, names: Names, pace: Pace) -> bool:
    """Remove those of both roles that are ours, and say whether there were any. Raises AwsError, AwsTooSlowError."""
    found = existing(aws, names)
    for name in found:
        for policy in aws.iam.pages("list_attached_role_policies", "AttachedPolicies", RoleName=name):
            release(aws.iam, "detach_role_policy", name, pace, RoleName=name, PolicyArn=policy["PolicyArn"])
        release(aws.iam, "delete_role", name, pace, RoleName=name)
    return bool(found)


def existing(aws: Aws, names: Names) -> tuple[str, ...]:
    """Return the names of those of a cluster's roles that exist and are ours. Raises AwsError."""
    return tuple(name for name in (names.cluster_role, names.node_role) if _is_ours(_find(aws, name), names))


def owners(aws: Aws) -> dict[str, dict[str, str]]:
    """Return the tags of every role of ours by its name. Raises AwsError."""
    found = aws.iam.pages("list_roles", "Roles", PathPrefix=ROLE_PATH)
    full = [_find(aws, role["RoleName"]) for role in found]
    return {role["RoleName"]: kinds.words(role.get("Tags", ())) for role in full if role is not None}


def _create(aws: Aws, name: str, service: str, policies: tuple[str, ...], words: Mapping[str, str]) -> str:
    trust = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}
    try:
        made = aws.iam(
            "create_role",
            RoleName=name,
            Path=ROLE_PATH,
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
            Description="For a throwaway cluster of build-conformance",
            Tags=kinds.pairs(words),
        )["Role"]
    except AwsError as error:
        # Our own first try, whose answer was lost: nothing had this name before.
        found = _find(aws, name) if error.code == "EntityAlreadyExists" else None
        if found is None or kinds.words(found.get("Tags", ())) != dict(words):
            raise
        made = found
    partition = made["Arn"].split(":")[1]
    for policy in policies:
        aws.iam("attach_role_policy", RoleName=name, PolicyArn=f"arn:{partition}:iam::aws:policy/{policy}")
    return str(made["Arn"])


def _find(aws: Aws, name: str) -> Answer | None:
    try:
        found: Answer = aws.iam("get_role", RoleName=name)["Role"]
    except AwsError as error:
        if error.is_gone:
            return None
        raise
    return found


def _is_ours(role: Answer | None, names: Names) -> bool:
    return role is not None and kinds.words(role.get("Tags", ())).get(tags.CLUSTER) == names.name
