"""The whole (imitated) AWS account: what no mistake in tagging can hide."""

from __future__ import annotations

import os
from typing import Any, Final

import boto3

REGION: Final = "us-east-2"
KEY: Final = "AKIAIOSFODNN7EXAMPLE"
SECRET: Final = "not/a/secret+of+anybody"  # noqa: S105 - an example

#: What moto has by id, by the names of its own attributes. No ACLs: it keeps those of networks that are gone.
_EC2: Final = (
    "vpcs",
    "route_tables",
    "internet_gateways",
    "enis",
    "launch_templates",
    "volumes",
    "snapshots",
    "nat_gateways",
    "key_pairs",
    "flow_logs",
    "vpc_end_points",
)
_ACCOUNT: Final = "123456789012"


class Account:
    """The account behind moto's port, asked without any proxy."""

    def __init__(self, port: int) -> None:
        session = boto3.Session(aws_access_key_id=KEY, aws_secret_access_key=SECRET, region_name=REGION)
        endpoint = f"http://127.0.0.1:{port}"
        made = (session.client(name, endpoint_url=endpoint) for name in ("ec2", "iam", "eks", "sts"))
        self.ec2, self.iam, self.eks, self.sts = made

    def everything(self) -> frozenset[str]:
        """Return the ids of everything that is in the account; moto runs in this process, and is looked into."""
        ec2, iam, eks = (self._backend(name) for name in ("ec2", "iam", "eks"))
        found = {one for kind in _EC2 for one in getattr(ec2, kind)}
        # Subnets by zone and security groups by network.
        found |= {one for nested in (ec2.subnets, ec2.groups) for inner in nested.values() for one in inner}
        machines = [machine for reservation in ec2.reservations.values() for machine in reservation.instances]
        found |= {machine.id for machine in machines if machine.state != "terminated"}
        found |= {address.allocation_id for address in ec2.addresses}
        found |= {f"role {role.name}" for role in iam.roles.values()}
        found |= {f"attached to {role.name}: {arn}" for role in iam.roles.values() for arn in role.managed_policies}
        found |= {f"profile {name}" for name in iam.instance_profiles} | set(iam.managed_policies)
        found |= {f"{cluster}/{group}" for cluster, each in eks.clusters.items() for group in each.nodegroups}
        return frozenset(found | set(eks.clusters))

    def _backend(self, name: str) -> Any:  # noqa: ANN401 - each is of another class
        from moto.backends import get_backend  # noqa: PLC0415 - see start_moto

        partition = {"iam": "aws"}.get(name, REGION)
        return get_backend(name)[_ACCOUNT][partition]  # type: ignore[call-overload]

    def tags_of(self, ids: frozenset[str]) -> dict[str, dict[str, str]]:
        """Return the tags of EC2 things by id."""
        found: dict[str, dict[str, str]] = {one: {} for one in ids}
        for tag in self.ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": sorted(ids)}])["Tags"]:
            found[tag["ResourceId"]][tag["Key"]] = tag["Value"]
        return found


def start_moto() -> tuple[Any, int]:
    """Start moto in this process and return it with its port."""
    # The policies that AWS manages exist only when this is set before moto is imported.
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    from moto.server import ThreadedMotoServer  # noqa: PLC0415

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    return server, server.get_host_and_port()[1]
