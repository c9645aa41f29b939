from __future__ import annotations

import stat
from pathlib import Path

import pytest
import yaml

from clusters import ledger, paths, tags
from clusters.aks.provider import AksProvider
from clusters.errors import ClusterFailedError, ClustersError, UnavailableError, UsageError
from clusters.provider import Capability, ClusterSpec, NodeConditions, Provenance
from tests.clusters.aks.azure import Azure, Fault, error, group
from tests.clusters.aks.conftest import NAME, World

GROUP = f"build-conformance-{NAME}"

#: How a creation can end badly: what Azure answers to the call, and what people must be told.
REFUSALS = {
    "ErrCode_InsufficientVCPUQuota": ("left regional vcpu quota 0, requested quota 2", "Ask for quota"),
    "SkuNotAvailable": (
        "The requested size is not available in location 'westeurope'.",
        "BUILD_CONFORMANCE_AKS_MACHINE",
    ),
    "RequestDisallowedByPolicy": ("Resource was disallowed by policy.", "exemption"),
    "K8sVersionNotSupported": ("Version 1.35 is not supported in this region.", "az aks get-versions"),
    "MissingSubscriptionRegistration": (
        "The subscription is not registered to use namespace 'Microsoft.ContainerService'.",
        "az provider register",
    ),
    "SomethingNew": ("Nobody has seen this.", "SomethingNew"),
}


def hush(line: str) -> None:
    del line


def test_a_cluster_says_what_it_is(azure: Azure, provider: AksProvider, spec: ClusterSpec) -> None:
    cluster = provider.create(spec, hush)
    assert azure.groups.keys() == {GROUP, f"{GROUP}-nodes"}
    # Something imitates Azure here, and nothing it says may be published as AKS.
    assert cluster.provenance is Provenance.SIMULATED
    assert cluster.capabilities == {Capability.OURS, Capability.VOLUMES, Capability.CONFIGZ}
    assert cluster.images.keys() == spec.images
    assert cluster.facts["kube-apiserver"] == "v1.35.9"
    assert cluster.facts["kernel"] == "6.8.0-azure"
    assert stat.S_IMODE(cluster.kubeconfig.stat().st_mode) == 0o600
    assert yaml.safe_load(cluster.kubeconfig.read_bytes())["current-context"] == "x"
    assert provider.environment(NAME) == {"KUBECONFIG": str(cluster.kubeconfig)}
    assert provider.state(NAME) == "ready"


def test_capabilities_are_asked_and_not_assumed(world: World, provider: AksProvider, spec: ClusterSpec) -> None:
    world.kubernetes.has_default_class = False
    world.kubernetes.shows_configz = False
    assert provider.create(spec, hush).capabilities == {Capability.OURS}


@pytest.mark.parametrize("late", ["/readyz", "/api/v1/nodes", "/api/v1/namespaces/kube-system/pods"])
def test_a_cluster_is_handed_out_only_when_it_can_be_used(
    world: World, provider: AksProvider, spec: ClusterSpec, late: str
) -> None:
    world.kubernetes.looks[late] = 5
    provider.create(spec, hush)
    assert world.kubernetes.looks[late] < 0


def test_whose_it_is_is_in_the_calls_that_make_it(
    azure: Azure, provider: AksProvider, spec: ClusterSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(tags.OWNER_VARIABLE, "somebody")
    provider.create(spec, hush)
    assert azure.changes == ["PUT group", "PUT cluster"]
    marks = azure.groups[GROUP]["tags"]
    assert marks[tags.CLUSTER] == NAME
    assert marks[tags.RUN] == "r1"
    assert marks[tags.OWNER] == "somebody"
    assert not tags.is_expired(marks, now=0)
    cluster = azure.clusters[NAME]
    assert cluster["tags"] == marks
    assert cluster["properties"]["agentPoolProfiles"][0]["tags"] == marks
    assert cluster["properties"]["nodeResourceGroup"] == f"{GROUP}-nodes"


@pytest.mark.parametrize("code", REFUSALS)
def test_a_refusal_is_told_with_the_next_step(
    azure: Azure, provider: AksProvider, spec: ClusterSpec, code: str
) -> None:
    text, next_step = REFUSALS[code]
    azure.faults = [Fault(title="PUT cluster", answer=error(409, code, text), times=99)]
    with pytest.raises(ClusterFailedError) as caught:
        provider.create(spec, hush)
    assert text.rstrip(".") in str(caught.value)
    assert next_step in str(caught.value)
    assert "make the cluster" in caught.value.step
    assert caught.value.exit_code == 2
    provider.delete(NAME)
    assert azure.is_empty


@pytest.mark.parametrize("forgotten", [False, True], ids=["operation answers", "operation is forgotten"])
@pytest.mark.parametrize("state", ["Failed", "Canceled"])
def test_a_cluster_that_fails_late_says_why(
    azure: Azure, provider: AksProvider, spec: ClusterSpec, state: str, *, forgotten: bool
) -> None:
    azure.ends_as = (state, "AllocationFailed", "no capacity for that size")
    if forgotten:
        azure.faults = [Fault(title="GET operation", answer=error(404, "NotFound", "no such operation"), times=99)]
    with pytest.raises(ClusterFailedError, match=r"no capacity for that size.*Try later"):
        provider.create(spec, hush)
    # What failed exists, and costs.
    assert azure.clusters
    azure.faults.clear()
    provider.delete(NAME)
    assert azure.is_empty


def test_an_operation_that_is_forgotten_is_no_failure(azure: Azure, provider: AksProvider, spec: ClusterSpec) -> None:
    azure.faults = [Fault(title="GET operation", answer=error(404, "NotFound", "no such operation"), times=99)]
    provider.create(spec, hush)
    assert azure.clusters[NAME]["properties"]["provisioningState"] == "Succeeded"


def test_a_group_that_is_not_known_everywhere_yet_is_asked_for_again(
    azure: Azure, provider: AksProvider, spec: ClusterSpec
) -> None:
    azure.unknown_to_clusters = 3
    provider.create(spec, hush)
    assert azure.changes.count("PUT cluster") == 4


def test_a_cluster_that_is_not_shown_yet_is_waited_for(azure: Azure, provider: AksProvider, spec: ClusterSpec) -> None:
    absent = error(404, "ResourceNotFound", "The Resource was not found.")
    azure.faults = [Fault(title="GET cluster", answer=absent, times=1)]
    # The SDK looks at the cluster too, when the operation is over; that look is the one that fails.
    provider.create(spec, hush)
    assert azure.faults[0].times == 0


def test_a_name_that_somebody_has_is_refused_and_left_alone(
    azure: Azure, provider: AksProvider, spec: ClusterSpec
) -> None:
    azure.groups[GROUP] = group(GROUP, tags={tags.CLUSTER: NAME, tags.OWNER: "a colleague"})
    with pytest.raises(UsageError, match="a colleague"):
        provider.create(spec, hush)
    assert azure.changes == []
    assert ledger.leases() == ()


def test_the_same_name_twice_is_refused_here(azure: Azure, provider: AksProvider, spec: ClusterSpec) -> None:
    provider.create(spec, hush)
    azure.groups.clear()
    with pytest.raises(UsageError, match="already"):
        provider.create(spec, hush)


@pytest.mark.usefixtures("world")
def test_conditions_that_azure_cannot_give_are_refused(provider: AksProvider) -> None:
    spec = ClusterSpec(name=NAME, run_id="r1", kubernetes="1.35", conditions=NodeConditions(seccomp_default=True))
    with pytest.raises(UsageError, match="conditions"):
        provider.create(spec, hush)


def test_a_kubeconfig_without_a_certificate_names_local_accounts(
    azure: Azure, provider: AksProvider, spec: ClusterSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = yaml.safe_load(azure.kubeconfig)
    document["users"][0]["user"] = {"exec": {"command": "kubelogin"}}
    monkeypatch.setattr(azure, "kubeconfig", yaml.safe_dump(document).encode())
    with pytest.raises(ClustersError, match="local accounts"):
        provider.create(spec, hush)


@pytest.mark.usefixtures("no_credentials")
def test_nothing_is_written_where_nobody_is_signed_in(provider: AksProvider, spec: ClusterSpec) -> None:
    with pytest.raises(UnavailableError, match="az login"):
        provider.create(spec, hush)
    assert not Path(paths.state_dir()).exists()
