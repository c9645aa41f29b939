"""The nodes: a launch template that tags whatever it starts, and a managed node group of one machine."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import yaml

from clusters.eks import health, kinds, waiters
from clusters.eks.aws import Answer, Aws
from clusters.eks.faults import AwsError
from clusters.eks.names import NODE_GROUP, Names
from clusters.eks.pace import Pace
from clusters.errors import ClustersError
from clusters.provider import NodeConditions


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """What the nodes are made of. Several machine types: where one is not to be had, AWS takes the next."""

    #: Two cores and 8 GiB each, the dearest first: `prices.toml` has the price of that.
    instance_types: tuple[str, ...] = ("t3.large", "t3a.large")
    #: Amazon Linux 2023, whose nodes are configured by nodeadm.
    image: str = "AL2023_x86_64_STANDARD"
    disk_gib: int = 40
    nodes: int = 1


SHAPE: Final = Shape()

_BOUNDARY: Final = "//"


def user_data(conditions: NodeConditions) -> str:
    """Return what nodeadm (awslabs.github.io/amazon-eks-ami) shall do differently, empty when nothing.

    EKS adds its own part to this document when it starts a node.
    """
    usual = NodeConditions()
    kubelet: dict[str, object] = {}
    if conditions.seccomp_default != usual.seccomp_default:
        kubelet["seccompDefault"] = conditions.seccomp_default
    if conditions.ids_per_pod != usual.ids_per_pod:
        kubelet["userNamespaces"] = {"idsPerPod": conditions.ids_per_pod}
    if not kubelet:
        return ""
    config = {"apiVersion": "node.eks.aws/v1alpha1", "kind": "NodeConfig", "spec": {"kubelet": {"config": kubelet}}}
    return (
        f'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="{_BOUNDARY}"\n\n'
        f"--{_BOUNDARY}\nContent-Type: application/node.eks.aws\n\n"
        f"{yaml.safe_dump(config, sort_keys=False)}\n--{_BOUNDARY}--\n"
    )


def create_template(aws: Aws, names: Names, words: Mapping[str, str], conditions: NodeConditions) -> None:
    """Make the launch template, whose tags reach machines and disks: a node group's do not. Raises AwsError."""
    marks = kinds.pairs({**words, "Name": names.cluster})
    data: dict[str, object] = {
        "TagSpecifications": [
            {"ResourceType": kind.word, "Tags": marks} for kind in (kinds.INSTANCE, kinds.VOLUME, kinds.INTERFACE)
        ],
        "BlockDeviceMappings": [
            {
                "DeviceName": "/dev/xvda",
                "Ebs": {
                    "VolumeSize": SHAPE.disk_gib,
                    "VolumeType": "gp3",
                    "Encrypted": True,
                    "DeleteOnTermination": True,
                },
            }
        ],
        # One hop: pods, some of them privileged, do not get at the node's credentials.
        "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
    }
    if document := user_data(conditions):
        data["UserData"] = base64.b64encode(document.encode()).decode()
    try:
        aws.ec2(
            "create_launch_template",
            LaunchTemplateName=names.cluster,
            LaunchTemplateData=data,
            TagSpecifications=[{"ResourceType": kinds.LAUNCH_TEMPLATE.word, "Tags": marks}],
        )
    except AwsError as error:
        if error.code != "InvalidLaunchTemplateName.AlreadyExistsException":
            raise
        # Our own first try, whose answer was lost, or somebody else's of that name.
        if not kinds.of_cluster(aws, kinds.LAUNCH_TEMPLATE, names.name):
            raise


def create(
    aws: Aws, names: Names, words: Mapping[str, str], *, role: str, subnets: tuple[str, ...], pace: Pace
) -> None:
    """Ask for the nodes and wait until AWS calls them ACTIVE. Raises AwsError, AwsTooSlowError, UnhealthyError."""
    try:
        aws.eks(
            "create_nodegroup",
            clusterName=names.cluster,
            nodegroupName=NODE_GROUP,
            nodeRole=role,
            subnets=list(subnets),
            amiType=SHAPE.image,
            instanceTypes=list(SHAPE.instance_types),
            scalingConfig={"minSize": SHAPE.nodes, "maxSize": SHAPE.nodes, "desiredSize": SHAPE.nodes},
            launchTemplate={"name": names.cluster, "version": "1"},
            tags=dict(words),
        )
    except AwsError as error:
        found = find(aws, names, NODE_GROUP) if error.code == "ResourceInUseException" else None
        if found is None or found.get("tags") != dict(words):
            raise
    waiters.until(
        lambda: _is_active(aws, names),
        limit=pace.node_group,
        interval=pace.interval,
        what=f"node group of {names.cluster} is ACTIVE",
        why=lambda: "; ".join(str(issue) for issue in health.issues(find(aws, names, NODE_GROUP) or {})),
    )


def find(aws: Aws, names: Names, group: str) -> Answer | None:
    """Return a node group as AWS describes it, or None. Raises AwsError."""
    try:
        found: Answer = aws.eks("describe_nodegroup", clusterName=names.cluster, nodegroupName=group)["nodegroup"]
    except AwsError as error:
        if error.is_gone:
            return None
        raise
    return found


def groups(aws: Aws, names: Names) -> list[str]:
    """Return the names of all node groups of a cluster that exists. Raises AwsError."""
    return aws.eks.pages("list_nodegroups", "nodegroups", clusterName=names.cluster)


def remove(aws: Aws, names: Names, group: str, pace: Pace) -> None:
    """Remove a node group and wait until it is gone. Raises AwsError, AwsTooSlowError, UnhealthyError."""
    asked = False

    def is_gone() -> bool:
        nonlocal asked
        found = find(aws, names, group)
        if found is None:
            return True
        asked = health.ask_for_removal(
            found,
            lambda: aws.eks("delete_nodegroup", clusterName=names.cluster, nodegroupName=group),
            asked=asked,
            what=f"node group {group} of {names.cluster}",
        )
        return False

    waiters.until(
        is_gone, limit=pace.deletion, interval=pace.interval, what=f"node group of {names.cluster} is removed"
    )


def _is_active(aws: Aws, names: Names) -> bool:
    found = find(aws, names, NODE_GROUP)
    if found is None:
        raise ClustersError(f"the node group of {names.cluster} is gone: somebody else deleted it")
    match found["status"]:
        case "ACTIVE":
            return True
        case "CREATING" | "UPDATING":
            return False
        case status:
            raise health.UnhealthyError(f"node group of {names.cluster}", status, health.issues(found))
