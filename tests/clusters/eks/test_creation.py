from __future__ import annotations

import base64
import json
import os
import stat
from pathlib import Path

import pytest
import yaml

from clusters import ledger, process, tags
from clusters.eks import kubeconfig
from clusters.errors import ClusterFailedError, UsageError
from clusters.provider import Capability, ClusterSpec, ImageRole, Lease, NodeConditions, Provenance
from tests.clusters.eks.account import SECRET
from tests.clusters.eks.apiserver import cluster_of
from tests.clusters.eks.conftest import Cloud


def test_a_cluster_comes_up_is_described_and_leaves_nothing(cloud: Cloud) -> None:
    cluster = cloud.create()
    assert (cluster.provider, cluster.provenance) == ("eks", Provenance.GENUINE)
    assert cluster.capabilities == {Capability.CONFIGZ, Capability.OURS}
    assert cluster.facts["kernel"] == "6.12.40"
    assert cluster.facts["kube-apiserver"] == "v1.34.2-eks-abc"
    assert all("@sha256:" in image.reference and image.digest for image in cluster.images.values())
    assert cloud.provider.state(cloud.name) == "active"
    assert cloud.provider.why_broken(cloud.name) is None
    assert [lease.name for lease in cloud.provider.list_leases()] == [cloud.name]
    assert cloud.provider.environment(cloud.name) == {"KUBECONFIG": str(cluster.kubeconfig)}
    _check_kubeconfig(cluster.kubeconfig)
    assert cloud.left()
    cloud.provider.delete(cloud.name)
    assert cloud.left() == frozenset()
    assert cloud.provider.state(cloud.name) == "gone"
    assert cloud.provider.list_leases() == ()
    cloud.provider.delete(cloud.name)


def _check_kubeconfig(path: Path) -> None:
    """See that it is private, holds no token, and makes one that the cluster takes, wherever it is used."""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text()
    assert "k8s-aws" not in text
    assert SECRET not in text
    plugin = yaml.safe_load(text)["users"][0]["user"]["exec"]
    environment = {**os.environ, **{pair["name"]: pair["value"] for pair in plugin["env"]}}
    said = process.run([plugin["command"], *plugin["args"]], env=environment, cwd=Path("/")).stdout
    assert cluster_of(json.loads(said)["status"]["token"], SECRET) is not None


def test_the_lease_is_on_disk_before_the_first_changing_call(one_connection: Cloud) -> None:
    cloud = one_connection
    leased: list[Lease | None] = []
    cloud.wire.on_change.append(lambda _: leased.append(ledger.find("eks", cloud.name)))
    cloud.create()
    assert len(leased) > 20
    assert all(lease is not None and lease.pid == os.getpid() for lease in leased)


def test_every_call_that_makes_something_tags_it_with_owner_run_and_end(
    one_connection: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud = one_connection
    monkeypatch.setenv(tags.OWNER_VARIABLE, "team-a@example.com")
    cloud.wire.reset()
    cloud.create()
    making = [(call, body) for call, body in cloud.wire.bodies if call.startswith("create_") and call != "create_route"]
    assert len(making) >= 9
    for call, body in making:
        for key in (tags.CLUSTER, tags.RUN, tags.OWNER, tags.EXPIRES):
            assert key in body, f"{call} does not tag with {key}"
        assert "team-a" in body, f"{call} does not name the owner"
    template = next(body for call, body in making if call == "create_launch_template")
    assert all(f"ResourceType={kind}" in template for kind in ("instance", "volume", "network-interface"))


def test_there_is_no_nat_gateway_and_every_name_is_the_runs(one_connection: Cloud) -> None:
    cloud = one_connection
    cloud.wire.reset()
    cloud.create()
    assert not {"create_nat_gateway", "allocate_address"} & set(cloud.wire.calls)
    assert {role["RoleName"] for role in cloud.account.iam.list_roles(PathPrefix="/build-conformance/")["Roles"]} == {
        f"bc-{cloud.name}-cluster",
        f"bc-{cloud.name}-node",
    }
    assert f"bc-{cloud.name}" in cloud.account.eks.list_clusters()["clusters"]


def test_node_conditions_reach_the_kubelet(one_connection: Cloud) -> None:
    cloud = one_connection
    cloud.create(NodeConditions(seccomp_default=True, ids_per_pod=262144))
    made = cloud.account.ec2.describe_launch_template_versions(LaunchTemplateName=f"bc-{cloud.name}")
    document = base64.b64decode(made["LaunchTemplateVersions"][0]["LaunchTemplateData"]["UserData"]).decode()
    part = document.split("application/node.eks.aws\n\n")[1].split("\n--//--")[0]
    config = yaml.safe_load(part)
    assert (config["apiVersion"], config["kind"]) == ("node.eks.aws/v1alpha1", "NodeConfig")
    assert config["spec"]["kubelet"]["config"] == {
        "seccompDefault": True,
        "userNamespaces": {"idsPerPod": 262144},
    }


@pytest.mark.parametrize("conditions", [NodeConditions(seccomp_profiles=True), NodeConditions(emulators=True)])
def test_a_condition_that_no_eks_node_can_have_is_refused_before_anything(
    one_connection: Cloud, conditions: NodeConditions
) -> None:
    cloud = one_connection
    cloud.wire.reset()
    with pytest.raises(UsageError, match="eks cannot put"):
        cloud.create(conditions)
    assert cloud.wire.all_calls == []
    assert cloud.provider.list_leases() == ()


def test_images_that_nobody_publishes_are_asked_for_before_anything(one_connection: Cloud) -> None:
    cloud = one_connection
    cloud.wire.reset()
    spec = ClusterSpec(name=cloud.name, run_id="r", kubernetes="1.34", images=frozenset({ImageRole.FIXTURES}))
    with pytest.raises(UsageError, match=r"(?s)images fixtures: push them.*BUILD_CONFORMANCE_IMAGES_FILE"):
        cloud.provider.create(spec, cloud.progress.append)
    assert cloud.wire.all_calls == []


def test_a_line_that_eks_does_not_have_is_refused_with_the_choices(one_connection: Cloud) -> None:
    from tests.clusters.eks.wire import Answer  # noqa: PLC0415

    cloud = one_connection
    offered = {"clusterVersions": [{"clusterVersion": "1.33"}, {"clusterVersion": "1.32"}]}
    answer = Answer(status=200, body=json.dumps(offered).encode())
    cloud.wire.instead.append(lambda asked: answer if asked == "describe_cluster_versions" else None)
    cloud.wire.reset()
    with pytest.raises(UsageError, match=r"no Kubernetes 1\.34 in standard support: choose from 1\.33, 1\.32"):
        cloud.create()
    assert cloud.wire.calls == []


def test_a_name_in_use_is_refused_and_its_cluster_left_as_it_is(one_connection: Cloud) -> None:
    cloud = one_connection
    cloud.create()
    there = cloud.left()
    lease = ledger.find("eks", cloud.name)
    with pytest.raises(UsageError, match="already: use another name"):
        cloud.create()
    assert cloud.left() == there
    assert ledger.find("eks", cloud.name) == lease


def test_somebody_elses_cluster_of_that_name_is_neither_used_nor_removed(one_connection: Cloud) -> None:
    cloud = one_connection
    eks, name = cloud.account.eks, f"bc-{cloud.name}"
    eks.create_cluster(name=name, roleArn="arn:aws:iam::123456789012:role/theirs", resourcesVpcConfig={})
    with pytest.raises(UsageError, match="which is not ours"):
        cloud.create()
    cloud.provider.delete(cloud.name)
    assert cloud.left() == {name}
    eks.delete_cluster(name=name)


def test_an_api_server_that_comes_and_goes_is_waited_for(one_connection: Cloud) -> None:
    cloud = one_connection
    # Once ready, then not: three times in a row are asked for.
    cloud.api.refusals[:] = [503, 500]
    cloud.create()
    assert cloud.api.asked.count("/readyz") == 5


def test_a_token_that_the_cluster_does_not_take_is_explained(
    one_connection: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud = one_connection
    monkeypatch.setattr(cloud.api, "secret", "another principal's")
    with pytest.raises(ClusterFailedError, match=r"does not accept our token \(401\): the credentials of now"):
        cloud.create()


def test_a_token_plugin_that_fails_is_told_with_what_it_said(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    says_no = ("/bin/sh", "-c", "echo no credentials today >&2; exit 2")
    monkeypatch.setattr(kubeconfig, "plugin", lambda *_: says_no)
    with pytest.raises(ClusterFailedError, match=r"(?s)token plugin fails.*no credentials today"):
        cloud.create()
