"""A network of its own: two public subnets and no NAT gateway, which would cost about half of the control plane."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from clusters.eks import kinds
from clusters.eks.aws import Aws
from clusters.eks.faults import AwsError
from clusters.eks.kinds import Kind
from clusters.eks.names import Names
from clusters.errors import ClustersError

NETWORK: Final = "10.203.0.0/16"

#: EKS wants two zones; the nodes may come up in either.
SUBNETS: Final = ("10.203.0.0/20", "10.203.16.0/20")

#: Zones in which EKS puts no control plane (docs.aws.amazon.com, EKS VPC and subnet requirements).
UNFIT_ZONES: Final = frozenset({"use1-az3", "usw1-az2", "cac1-az3"})

#: What a repeated call answers when its first try, whose answer was lost, had worked.
_DONE_BEFORE: Final = frozenset({"Resource.AlreadyAssociated", "RouteAlreadyExists"})


def zones(aws: Aws, instance_types: tuple[str, ...]) -> tuple[str, ...]:
    """Return two zones that have any of these machine types. Raises AwsError, ClustersError when there are not two."""
    offered = {
        offer["Location"]
        for offer in aws.ec2.pages(
            "describe_instance_type_offerings",
            "InstanceTypeOfferings",
            LocationType="availability-zone",
            Filters=[{"Name": "instance-type", "Values": list(instance_types)}],
        )
    }
    known = aws.ec2("describe_availability_zones")["AvailabilityZones"]
    fit = [
        zone["ZoneName"]
        for zone in known
        if zone.get("State") == "available" and zone.get("ZoneId") not in UNFIT_ZONES and zone["ZoneName"] in offered
    ]
    if len(fit) < len(SUBNETS):
        raise ClustersError(
            f"{aws.region} has {len(fit)} zones with {' or '.join(instance_types)} where EKS works, and it takes two: "
            "set AWS_DEFAULT_REGION to another region"
        )
    return tuple(sorted(fit)[: len(SUBNETS)])


def create(aws: Aws, names: Names, words: Mapping[str, str], chosen: tuple[str, ...]) -> tuple[str, ...]:
    """Make the network with a subnet in each chosen zone, and return the subnets' ids. Raises AwsError."""
    ec2 = aws.ec2
    vpc = ec2("create_vpc", CidrBlock=NETWORK, **_tagged(kinds.VPC, names, words))["Vpc"]["VpcId"]
    ec2("modify_vpc_attribute", VpcId=vpc, EnableDnsHostnames={"Value": True})
    made = ec2("create_internet_gateway", **_tagged(kinds.GATEWAY, names, words))["InternetGateway"]
    gateway = made["InternetGatewayId"]
    _once(aws, "attach_internet_gateway", InternetGatewayId=gateway, VpcId=vpc)
    table = ec2("create_route_table", VpcId=vpc, **_tagged(kinds.ROUTE_TABLE, names, words))["RouteTable"]
    route = {"RouteTableId": table["RouteTableId"], "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": gateway}
    _once(aws, "create_route", **route)
    subnets = []
    for zone, block in zip(chosen, SUBNETS, strict=True):
        subnet = _subnet(aws, names, words, vpc=vpc, zone=zone, block=block)
        # Nodes without a public address would reach neither the control plane nor a registry: there is no NAT.
        ec2("modify_subnet_attribute", SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
        _once(aws, "associate_route_table", RouteTableId=table["RouteTableId"], SubnetId=subnet)
        subnets.append(subnet)
    return tuple(subnets)


def _subnet(aws: Aws, names: Names, words: Mapping[str, str], *, vpc: str, zone: str, block: str) -> str:
    tagged = _tagged(kinds.SUBNET, names, words)
    try:
        made = aws.ec2("create_subnet", VpcId=vpc, CidrBlock=block, AvailabilityZone=zone, **tagged)["Subnet"]
    except AwsError as error:
        mine = [each for each in kinds.of_cluster(aws, kinds.SUBNET, names.name) if each["VpcId"] == vpc]
        found = [each for each in mine if each["CidrBlock"] == block]
        if error.code != "InvalidSubnet.Conflict" or not found:
            raise
        made = found[0]
    return str(made["SubnetId"])


def _once(aws: Aws, operation: str, **arguments: object) -> None:
    try:
        aws.ec2(operation, **arguments)
    except AwsError as error:
        if error.code not in _DONE_BEFORE:
            raise


def _tagged(kind: Kind, names: Names, words: Mapping[str, str]) -> dict[str, object]:
    """Return the argument that tags a thing in the call that makes it: there is no moment without tags."""
    marks = {**words, "Name": names.cluster}
    return {"TagSpecifications": [{"ResourceType": kind.word, "Tags": kinds.pairs(marks)}]}
