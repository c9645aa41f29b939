"""The rights that docs/how-to/eks.md asks for are those of the calls that are made: none is missing, none too many."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

from clusters.paths import CHECKOUT
from tests.clusters.eks.conftest import Cloud

#: Rights without a call of ours: AWS checks them inside of calls, or they are about what only a real account has.
INSIDE: Final = {
    "iam:TagRole",
    "iam:PassRole",
    "iam:CreateServiceLinkedRole",
    "eks:TagResource",
    "ec2:CreateTags",
    "ec2:RunInstances",
    # Nodes that outlive their group, disks that outlive their node, what others left in the network.
    "ec2:TerminateInstances",
    "ec2:DeleteVolume",
    "ec2:DeleteNetworkInterface",
    "ec2:GetConsoleOutput",
}


def test_the_documented_rights_are_those_of_the_calls_that_are_made(cloud: Cloud, tmp_path: Path) -> None:
    cloud.wire.reset()
    assert cloud.provider.why_unavailable() is None
    cloud.create()
    # What EKS makes and moto does not: a group that has to be removed.
    mine = [{"Name": "tag:Name", "Values": [f"bc-{cloud.name}"]}]
    vpc = cloud.account.ec2.describe_vpcs(Filters=mine)["Vpcs"][0]["VpcId"]
    cloud.account.ec2.create_security_group(GroupName="left", Description="left", VpcId=vpc)
    cloud.provider.find_leftovers()
    cloud.provider.collect_logs(cloud.name, tmp_path)
    cloud.provider.delete(cloud.name)
    made = {"".join(word.capitalize() for word in call.split("_")) for call in cloud.wire.all_calls}
    documented = _documented()
    assert made == {right.split(":")[1] for right in documented - INSIDE}


def _documented() -> set[str]:
    text = (CHECKOUT / "docs" / "how-to" / "eks.md").read_text()
    found = re.search(r"```json\n(.*?)```", text, re.DOTALL)
    assert found is not None
    statements = json.loads(found[1])["Statement"]
    actions = [each["Action"] for each in statements]
    return {right for each in actions for right in ([each] if isinstance(each, str) else each)}
