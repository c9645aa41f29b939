"""The removal: what carries the cluster's tag or name, in the one order that AWS allows. It remembers nothing.

So a creation that failed, one whose process was killed, and one of yesterday are all removed the same way.
"""

from __future__ import annotations

from clusters.eks import control_plane, kinds, node_group, roles, waiters
from clusters.eks.aws import Answer, Aws
from clusters.eks.kinds import (
    GATEWAY,
    INSTANCE,
    INTERFACE,
    LAUNCH_TEMPLATE,
    ROUTE_TABLE,
    SECURITY_GROUP,
    SUBNET,
    TAGGED,
    VOLUME,
    VPC,
)
from clusters.eks.names import Names
from clusters.eks.pace import Pace
from clusters.eks.releases import release

#: Looks that must see nothing before a removal is over: what a killed process asked for may come late.
QUIET_LOOKS = 2


def remove(aws: Aws, names: Names, pace: Pace, *, is_leased: bool) -> None:
    """Remove everything of a cluster, and look until nothing shows up any more. Raises ClustersError.

    Where there never was a lease, one look at an account that has nothing of it is enough (`is_leased`).
    """
    quiet = 0 if is_leased else QUIET_LOOKS - 1

    def is_over() -> bool:
        nonlocal quiet
        quiet = 0 if _remove_once(aws, names, pace) else quiet + 1
        return quiet >= QUIET_LOOKS

    waiters.until(
        is_over,
        limit=pace.removal,
        interval=pace.settle,
        what=f"nothing of {names.cluster} is left in {aws.region}",
        why=lambda: f"there is {', '.join(existing(aws, names)) or 'something that comes and goes'}",
    )


def existing(aws: Aws, names: Names) -> tuple[str, ...]:
    """Return what there is of a cluster, a few words each. Raises AwsError."""
    cluster = control_plane.find(aws, names)
    plane = [f"cluster {names.cluster}"] if cluster is not None and control_plane.is_ours(cluster, names) else []
    found = [f"{kind.word} {item[kind.id]}" for kind in TAGGED for item in kinds.of_cluster(aws, kind, names.name)]
    return (*plane, *found, *(f"role {name}" for name in roles.existing(aws, names)))


def _remove_once(aws: Aws, names: Names, pace: Pace) -> bool:
    """Go through everything once and say whether there was anything.

    What costs most goes first, roles last: EKS uses them until its end.
    """
    was_cluster = _remove_cluster(aws, names, pace)
    were_machines = _remove_machines(aws, names, pace)
    was_network = _remove_network(aws, names, pace)
    were_roles = roles.remove(aws, names, pace)
    return was_cluster or were_machines or was_network or were_roles


def _remove_cluster(aws: Aws, names: Names, pace: Pace) -> bool:
    cluster = control_plane.find(aws, names)
    if cluster is None or not control_plane.is_ours(cluster, names):
        return False
    for group in node_group.groups(aws, names):
        node_group.remove(aws, names, group, pace)
    control_plane.remove(aws, names, pace)
    return True


def _remove_machines(aws: Aws, names: Names, pace: Pace) -> bool:
    """Remove what a node group should have taken along, and the template it was made from."""
    instances = [instance["InstanceId"] for instance in kinds.of_cluster(aws, INSTANCE, names.name)]
    for one in instances:
        release(aws.ec2, "terminate_instances", one, pace, InstanceIds=[one])
    volumes = kinds.of_cluster(aws, VOLUME, names.name)
    # One in use goes with its machine.
    for one in [volume["VolumeId"] for volume in volumes if volume["State"] == "available"]:
        release(aws.ec2, "delete_volume", one, pace, VolumeId=one)
    templates = [template["LaunchTemplateId"] for template in kinds.of_cluster(aws, LAUNCH_TEMPLATE, names.name)]
    for one in templates:
        release(aws.ec2, "delete_launch_template", one, pace, LaunchTemplateId=one)
    return bool(instances or volumes or templates)


def _remove_network(aws: Aws, names: Names, pace: Pace) -> bool:
    vpcs = [vpc["VpcId"] for vpc in kinds.of_cluster(aws, VPC, names.name)]

    def holders() -> str:
        return ", ".join(_holder(card) for card in kinds.inside(aws, INTERFACE, vpcs))

    _remove_strangers(aws, vpcs, pace)
    tables = kinds.of_cluster(aws, ROUTE_TABLE, names.name)
    for link in [link for table in tables for link in table["Associations"] if link.get("SubnetId")]:
        one = link["RouteTableAssociationId"]
        release(aws.ec2, "disassociate_route_table", one, pace, AssociationId=one)
    subnets = kinds.of_cluster(aws, SUBNET, names.name)
    for subnet in subnets:
        release(aws.ec2, "delete_subnet", subnet["SubnetId"], pace, holders=holders, SubnetId=subnet["SubnetId"])
    for table in tables:
        release(aws.ec2, "delete_route_table", table["RouteTableId"], pace, RouteTableId=table["RouteTableId"])
    gateways = kinds.of_cluster(aws, GATEWAY, names.name)
    for gateway in gateways:
        one = gateway["InternetGatewayId"]
        for vpc in [attached["VpcId"] for attached in gateway["Attachments"]]:
            detach = "detach_internet_gateway"
            release(aws.ec2, detach, one, pace, holders=holders, InternetGatewayId=one, VpcId=vpc)
        release(aws.ec2, "delete_internet_gateway", one, pace, InternetGatewayId=one)
    for vpc in vpcs:
        release(aws.ec2, "delete_vpc", vpc, pace, holders=holders, VpcId=vpc)
    return bool(vpcs or tables or subnets or gateways)


def _remove_strangers(aws: Aws, vpcs: list[str], pace: Pace) -> None:
    """Remove what others made in our networks: it carries no tag of ours."""
    for card in kinds.inside(aws, INTERFACE, vpcs):
        # What the network plugin left behind when its node died first; one in use goes with its user.
        if card["Status"] == "available":
            one = card["NetworkInterfaceId"]
            release(aws.ec2, "delete_network_interface", one, pace, NetworkInterfaceId=one)
    for group in kinds.inside(aws, SECURITY_GROUP, vpcs):
        if group["GroupName"] != "default":
            release(aws.ec2, "delete_security_group", group["GroupId"], pace, GroupId=group["GroupId"])


def _holder(card: Answer) -> str:
    """Say whose a network interface is: AWS writes that into its description, e.g. `ELB app/...`."""
    return f"{card['NetworkInterfaceId']} ({card.get('Description') or 'without description'})"
