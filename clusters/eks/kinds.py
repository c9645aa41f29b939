"""The kinds of things in EC2 that belong to a cluster, and how those that carry a tag are found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from clusters import tags
from clusters.eks.aws import Answer, Aws


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """A kind of thing: the word for it in tags, the call that lists it, where in the answer it is, and its id."""

    word: str
    listing: str
    key: str
    id: str
    #: Values of `State` that mean that it is as good as gone.
    ended: frozenset[str] = frozenset()

    def state(self, item: Answer) -> str:
        """Return the state of one of them, empty where the kind has none."""
        found = item.get("State", "")
        return str(found.get("Name", "") if isinstance(found, Mapping) else found)


INSTANCE: Final = Kind(
    word="instance",
    listing="describe_instances",
    key="Reservations",
    id="InstanceId",
    ended=frozenset({"shutting-down", "terminated"}),
)
LAUNCH_TEMPLATE: Final = Kind(
    word="launch-template", listing="describe_launch_templates", key="LaunchTemplates", id="LaunchTemplateId"
)
VOLUME: Final = Kind(
    word="volume", listing="describe_volumes", key="Volumes", id="VolumeId", ended=frozenset({"deleting", "deleted"})
)
SUBNET: Final = Kind(word="subnet", listing="describe_subnets", key="Subnets", id="SubnetId")
ROUTE_TABLE: Final = Kind(word="route-table", listing="describe_route_tables", key="RouteTables", id="RouteTableId")
GATEWAY: Final = Kind(
    word="internet-gateway", listing="describe_internet_gateways", key="InternetGateways", id="InternetGatewayId"
)
VPC: Final = Kind(word="vpc", listing="describe_vpcs", key="Vpcs", id="VpcId")
INTERFACE: Final = Kind(
    word="network-interface", listing="describe_network_interfaces", key="NetworkInterfaces", id="NetworkInterfaceId"
)
SECURITY_GROUP: Final = Kind(
    word="security-group", listing="describe_security_groups", key="SecurityGroups", id="GroupId"
)

#: What carries our tags: made by us, or by our launch template's.
TAGGED: Final = (INSTANCE, LAUNCH_TEMPLATE, VOLUME, SUBNET, ROUTE_TABLE, GATEWAY, VPC, INTERFACE)


def pairs(words: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags the way EC2 and IAM take them."""
    return [{"Key": key, "Value": value} for key, value in words.items()]


def words(found: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return tags as a mapping from what EC2 and IAM answer."""
    return {pair["Key"]: pair["Value"] for pair in found}


def of_cluster(aws: Aws, kind: Kind, name: str) -> list[Any]:
    """Return what there is of one kind that carries a cluster's tag. Raises AwsError."""
    return _list(aws, kind, [{"Name": f"tag:{tags.CLUSTER}", "Values": [name]}])


def of_all(aws: Aws, kind: Kind) -> list[Any]:
    """Return what there is of one kind that carries our tag, whichever cluster's. Raises AwsError."""
    return _list(aws, kind, [{"Name": "tag-key", "Values": [tags.CLUSTER]}])


def inside(aws: Aws, kind: Kind, vpcs: list[str]) -> list[Any]:
    """Return what there is of one kind in these networks, tags or not. Raises AwsError."""
    return _list(aws, kind, [{"Name": "vpc-id", "Values": vpcs}]) if vpcs else []


def _list(aws: Aws, kind: Kind, filters: list[dict[str, object]]) -> list[Any]:
    found = aws.ec2.pages(kind.listing, kind.key, Filters=filters)
    if kind is INSTANCE:
        found = [instance for reservation in found for instance in reservation["Instances"]]
    return [item for item in found if kind.state(item) not in kind.ended]
