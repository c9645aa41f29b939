from __future__ import annotations

import shutil

import pytest

from clusters import tags
from clusters.eks.names import names_of
from clusters.eks.record import read
from clusters.errors import UsageError
from clusters.provider import ClusterSpec
from tests.clusters.eks.account import REGION
from tests.clusters.eks.conftest import Cloud
from tests.clusters.eks.wire import Answer


def network_of(cloud: Cloud) -> tuple[str, str]:
    """Return the cluster's network and one of its subnets."""
    mine = [{"Name": f"tag:{tags.CLUSTER}", "Values": [cloud.name]}]
    subnet = cloud.account.ec2.describe_subnets(Filters=mine)["Subnets"][0]
    return subnet["VpcId"], subnet["SubnetId"]


def test_what_nodes_and_plugins_left_behind_goes_too(one_connection: Cloud) -> None:
    cloud = one_connection
    cloud.create()
    ec2 = cloud.account.ec2
    vpc, subnet = network_of(cloud)
    ours = [{"Key": tags.CLUSTER, "Value": cloud.name}]
    # A node that outlived its group, a disk, a network plugin's card, and a group of a load balancer: the last two
    # carry no tag of ours.
    image = ec2.describe_images()["Images"][0]["ImageId"]
    marked = [{"ResourceType": "instance", "Tags": ours}]
    card = [{"DeviceIndex": 0, "SubnetId": subnet, "DeleteOnTermination": True}]
    ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, NetworkInterfaces=card, TagSpecifications=marked)
    disk = [{"ResourceType": "volume", "Tags": ours}]
    ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=1, TagSpecifications=disk)
    ec2.create_network_interface(SubnetId=subnet, Description="aws-K8S-i-1")
    ec2.create_security_group(GroupName="k8s-elb-1", Description="left", VpcId=vpc)
    cloud.provider.delete(cloud.name)
    assert cloud.left() == frozenset()


def test_another_cluster_is_left_as_it_is(one_connection: Cloud) -> None:
    cloud = one_connection
    other = ClusterSpec(name=f"{cloud.name}-x", run_id="r", kubernetes="1.34", images=frozenset())
    from tests.clusters.eks.apiserver import CLUSTERS  # noqa: PLC0415

    CLUSTERS.add(f"bc-{other.name}")
    cloud.provider.create(other, cloud.progress.append)
    there = cloud.left()
    cloud.create()
    cloud.provider.delete(cloud.name)
    assert cloud.left() == there
    cloud.provider.delete(other.name)


def test_a_cluster_is_removed_where_it_was_made_whatever_region_is_set_now(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.create()
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    cloud.provider.delete(cloud.name)
    assert cloud.left() == frozenset()


def test_credentials_of_another_account_remove_nothing_and_say_so(one_connection: Cloud) -> None:
    cloud = one_connection
    cloud.create()
    there = cloud.left()
    names = names_of(cloud.name)
    made = read(names)
    assert made is not None
    names.record.write_text(made.model_copy(update={"account": "999988887777"}).model_dump_json())
    with pytest.raises(UsageError, match=r"in the AWS account 999988887777, and the credentials are of 123456789012"):
        cloud.provider.delete(cloud.name)
    assert cloud.left() == there
    assert cloud.provider.list_leases()
    names.record.write_text(made.model_dump_json())


def test_a_machine_that_knows_only_the_name_removes_everything(one_connection: Cloud) -> None:
    cloud = one_connection
    cloud.create()
    shutil.rmtree(names_of(cloud.name).folder)
    cloud.provider.delete(cloud.name)
    assert cloud.left() == frozenset()


def test_what_a_killed_process_asked_for_last_may_come_late(cloud: Cloud) -> None:
    cloud.create()
    seen: list[str] = []

    def arrive(asked: str) -> Answer | None:
        """Make one more network of the run while the first look that sees nothing is already past the networks."""
        if asked == "delete_role":
            seen.append(asked)
        if asked == "get_role" and seen == ["delete_role", "delete_role"]:
            seen.append(asked)
            ours = [{"ResourceType": "vpc", "Tags": [{"Key": tags.CLUSTER, "Value": cloud.name}]}]
            cloud.account.ec2.create_vpc(CidrBlock="10.203.0.0/16", TagSpecifications=ours)
        return None

    cloud.wire.instead.append(arrive)
    cloud.provider.delete(cloud.name)
    assert seen[-1] == "get_role"
    assert cloud.left() == frozenset()


def test_a_name_that_aws_would_not_take_is_refused(one_connection: Cloud) -> None:
    for name in ("", "Upper", "a" * 53, "-a", "a_b", "../x"):
        with pytest.raises(UsageError, match="cannot be the name of an EKS cluster"):
            one_connection.provider.delete(name)
