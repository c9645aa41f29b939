"""What moto never shows: things that take their time, fail, or are refused for now."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from clusters.errors import ClusterFailedError
from tests.clusters.eks.conftest import Cloud
from tests.clusters.eks.wire import Answer, query_refusal, refusal

ROLE_UNKNOWN = (
    "Role with arn: arn:aws:iam::123456789012:role/x, could not be assumed because it does not exist or the trusted "
    "entity is not correct"
)


def says(
    operation: str, key: str, states: list[str], issues: list[dict[str, Any]] | None = None
) -> Callable[..., None]:
    """Return a rewrite that shows these states one after the other, staying with the last, once there is something."""

    def rewrite(asked: str, content: dict[str, Any]) -> None:
        if asked == operation and key in content:
            content[key]["status"] = states.pop(0) if len(states) > 1 else states[0]
            content[key]["health"] = {"issues": issues or []}

    return rewrite


def first(times: int, operation: str, answer: Answer) -> Callable[[str], Answer | None]:
    """Return what answers an operation so many times in moto's place."""
    left = [answer] * times

    def instead(asked: str) -> Answer | None:
        return left.pop() if asked == operation and left else None

    return instead


def test_a_control_plane_and_nodes_that_take_their_time_are_waited_for(one_connection: Cloud) -> None:
    cloud = one_connection
    cloud.wire.rewrites.append(says("describe_cluster", "cluster", ["CREATING"] * 4 + ["ACTIVE"]))
    cloud.wire.rewrites.append(says("describe_nodegroup", "nodegroup", ["CREATING"] * 3 + ["ACTIVE"]))
    cloud.wire.reset()
    cloud.create()
    asked = cloud.wire.all_calls
    after = asked.index("create_cluster")
    assert asked[after : asked.index("create_launch_template")].count("describe_cluster") == 5
    assert asked.count("describe_nodegroup") == 4


def test_a_control_plane_that_fails_is_told_with_the_reason_that_eks_has(one_connection: Cloud) -> None:
    cloud = one_connection
    issue = {"code": "Ec2SubnetNotFound", "message": "no such subnet", "resourceIds": ["subnet-1"]}
    cloud.wire.rewrites.append(says("describe_cluster", "cluster", ["CREATING", "FAILED"], [issue]))
    with pytest.raises(
        ClusterFailedError, match=r"(?s)control plane bc-\S+ is FAILED.*Ec2SubnetNotFound: no such"
    ) as e:
        cloud.create()
    assert "make the control plane" in e.value.step
    assert "create_nodegroup" not in cloud.wire.calls


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("InsufficientInstanceCapacity", "no such machine free"),
        ("AsgInstanceLaunchFailures", "could not launch"),
        ("VcpuLimitExceeded", "limit of the account, not a fault of what is tested"),
        ("NodeCreationFailure", "could not launch"),
    ],
)
def test_nodes_that_fail_are_told_with_the_reason_that_eks_has(one_connection: Cloud, code: str, said: str) -> None:
    cloud = one_connection
    issue = {"code": code, "message": "could not launch", "resourceIds": ["asg-1"]}
    cloud.wire.rewrites.append(says("describe_nodegroup", "nodegroup", ["CREATING", "CREATE_FAILED"], [issue]))
    with pytest.raises(ClusterFailedError, match=rf"(?s)CREATE_FAILED.*{code}: could not launch \[asg-1\]") as error:
        cloud.create()
    assert said in str(error.value)
    assert error.value.exit_code == 2


def test_nodes_that_never_come_are_told_with_what_eks_says_of_them_so_far(
    one_connection: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud = one_connection
    issue = {"code": "InsufficientInstanceCapacity", "message": "none free"}
    cloud.wire.rewrites.append(says("describe_nodegroup", "nodegroup", ["CREATING"], [issue]))
    patient = cloud.provider._pace
    monkeypatch.setattr(cloud.provider, "_pace", type(patient)(interval=0.01, node_group=0.05, settle=0.01))
    with pytest.raises(ClusterFailedError, match=r"not after 0\.05 s: InsufficientInstanceCapacity: none free"):
        cloud.create()


def test_a_role_that_is_not_known_everywhere_yet_is_asked_for_again(one_connection: Cloud) -> None:
    cloud = one_connection
    cloud.wire.reset()
    cloud.wire.instead.append(first(3, "create_cluster", refusal("InvalidParameterException", ROLE_UNKNOWN)))
    cloud.create()
    assert cloud.wire.calls.count("create_cluster") == 4


def test_a_parameter_that_is_wrong_is_told_at_once(one_connection: Cloud) -> None:
    cloud = one_connection
    cloud.wire.reset()
    cloud.wire.instead.append(first(9, "create_cluster", refusal("InvalidParameterException", "unsupported version")))
    with pytest.raises(ClusterFailedError, match=r"create_cluster: InvalidParameterException: unsupported version"):
        cloud.create()
    assert cloud.wire.calls.count("create_cluster") == 1


def test_a_throttled_account_is_asked_again(one_connection: Cloud) -> None:
    cloud = one_connection
    for operation in ("create_vpc", "describe_subnets", "delete_subnet"):
        cloud.wire.instead.append(first(2, operation, query_refusal("RequestLimitExceeded", "slow down", status=503)))
    cloud.wire.instead.append(first(2, "describe_cluster", refusal("ThrottlingException", "slow down", status=429)))
    cloud.create()
    cloud.provider.delete(cloud.name)
    assert cloud.left() == frozenset()


def test_an_account_that_stays_throttled_is_told_to_be(one_connection: Cloud) -> None:
    cloud = one_connection
    cloud.wire.instead.append(first(99, "create_vpc", query_refusal("RequestLimitExceeded", "slow down", status=503)))
    with pytest.raises(ClusterFailedError, match=r"(?s)create_vpc \(throttled\): RequestLimitExceeded.*try again"):
        cloud.create()
    cloud.wire.instead.clear()


@pytest.mark.parametrize(
    ("operation", "answer", "said"),
    [
        (
            "create_vpc",
            query_refusal("VpcLimitExceeded", "5 is the limit"),
            r"\(quota\): VpcLimitExceeded.*Service Quotas",
        ),
        ("create_role", query_refusal("LimitExceeded", "1000 roles"), r"\(quota\): LimitExceeded"),
        ("create_cluster", refusal("ResourceLimitExceededException", "100"), r"\(quota\): ResourceLimitExceeded"),
        ("create_cluster", refusal("UnsupportedAvailabilityZoneException", "1e"), r"\(capacity\): .*another region"),
        ("create_nodegroup", refusal("AccessDeniedException", "no"), r"\(permission\): .*lists the rights"),
    ],
)
def test_limits_and_rights_of_the_account_are_called_that(
    one_connection: Cloud, operation: str, answer: Answer, said: str
) -> None:
    cloud = one_connection
    cloud.wire.instead.append(first(9, operation, answer))
    with pytest.raises(ClusterFailedError) as error:
        cloud.create()
    assert re.search(said, str(error.value), re.DOTALL)
    cloud.wire.instead.clear()


def test_a_removal_waits_for_what_is_still_being_made(one_connection: Cloud) -> None:
    cloud = one_connection
    cloud.create()
    cloud.wire.reset()
    busy = refusal("ResourceInUseException", "it is being created", status=409)
    cloud.wire.instead += [first(2, "delete_nodegroup", busy), first(3, "delete_cluster", busy)]
    cloud.wire.instead.append(first(2, "delete_subnet", query_refusal("DependencyViolation", "eni-1 uses it")))
    cloud.provider.delete(cloud.name)
    assert cloud.wire.calls.count("delete_nodegroup") == 3
    assert cloud.wire.calls.count("delete_cluster") == 4
    assert cloud.wire.calls.count("delete_subnet") == 4
    assert cloud.left() == frozenset()


def test_what_is_being_deleted_already_is_not_asked_for_again(one_connection: Cloud) -> None:
    cloud = one_connection
    cloud.create()
    cloud.wire.reset()
    shown = ["ACTIVE", "DELETING", "DELETING", "DELETING"]
    gone: list[str] = []

    def rewrite(asked: str, content: dict[str, Any]) -> None:
        if asked == "describe_nodegroup" and "nodegroup" in content and shown:
            content["nodegroup"]["status"] = shown.pop(0)

    def instead(asked: str) -> Answer | None:
        # EKS answers at once and deletes for minutes; moto shall delete when it has been DELETING for a while.
        if asked == "delete_nodegroup" and len(shown) == 3:
            return Answer(status=200, body=b'{"nodegroup": {"status": "DELETING"}}')
        if asked == "describe_nodegroup" and not shown and not gone:
            gone.append(asked)
            cloud.account.eks.delete_nodegroup(clusterName=f"bc-{cloud.name}", nodegroupName="nodes")
        return None

    cloud.wire.rewrites.append(rewrite)
    cloud.wire.instead.append(instead)
    cloud.provider.delete(cloud.name)
    assert cloud.wire.calls.count("delete_nodegroup") == 1
    assert cloud.left() == frozenset()


def test_a_deletion_that_failed_is_told_with_its_reason_and_tried_again_next_time(one_connection: Cloud) -> None:
    cloud = one_connection
    cloud.create()
    issue = {"code": "Ec2SecurityGroupDeletionFailure", "message": "sg-1 is in use"}
    cloud.wire.rewrites.append(says("describe_nodegroup", "nodegroup", ["ACTIVE", "DELETE_FAILED"], [issue]))
    cloud.wire.instead.append(first(1, "delete_nodegroup", Answer(status=200, body=b"{}")))
    with pytest.raises(Exception, match=r"(?s)node group nodes of bc-\S+ is DELETE_FAILED.*sg-1 is in use"):
        cloud.provider.delete(cloud.name)
    cloud.provider.delete(cloud.name)
    assert cloud.left() == frozenset()


def test_whoever_holds_a_network_too_long_is_named(one_connection: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = one_connection
    cloud.create()
    patient = cloud.provider._pace
    subnet = cloud.account.ec2.describe_subnets(Filters=[{"Name": "tag:Name", "Values": [f"bc-{cloud.name}"]}])
    one = subnet["Subnets"][0]["SubnetId"]
    card = cloud.account.ec2.create_network_interface(SubnetId=one, Description="ELB app/web")["NetworkInterface"]
    cloud.wire.instead.append(first(99, "delete_network_interface", Answer(status=200, body=b"<A/>", kind="text/xml")))
    cloud.wire.instead.append(first(99, "delete_subnet", query_refusal("DependencyViolation", "it has dependencies")))
    quick = type(patient)(interval=0.01, release=0.05, settle=0.01)
    monkeypatch.setattr(cloud.provider, "_pace", quick)
    with pytest.raises(Exception, match=rf"DependencyViolation.*{card['NetworkInterfaceId']} \(ELB app/web\)"):
        cloud.provider.delete(cloud.name)
    cloud.wire.instead.clear()
    monkeypatch.setattr(cloud.provider, "_pace", patient)
