"""What every provider keeps, whatever it is: asked of each in the table, without a cluster."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from clusters import holders, ledger, providers
from clusters.errors import ClustersError
from clusters.provider import ClusterSpec, FindsLeftovers, Hosts, Lines, NodeConditions, Provider, Weighs

pytestmark = pytest.mark.usefixtures("bare_machine")

#: Seconds in which a provider that cannot work has to have said so.
PATIENCE = 2.0


@pytest.fixture
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with nothing on it: no root, no programs, no account anywhere, and a state folder of its own."""
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AZURE_CLIENT_ID", "AZURE_SUBSCRIPTION_ID", "DOCKER_HOST"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("BUILD_CONFORMANCE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 1000)


@pytest.fixture(params=sorted(providers.PROVIDERS))
def provider(request: pytest.FixtureRequest) -> Provider:
    return providers.PROVIDERS[request.param]


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    parameter = request.node.callspec.params["provider"]
    assert isinstance(parameter, str)
    return parameter


def spec(name: str = "contract") -> ClusterSpec:
    return ClusterSpec(name=name, run_id="contract", kubernetes="1.35")


def test_a_provider_that_cannot_work_says_so_in_one_paragraph_within_two_seconds(provider: Provider) -> None:
    # What is imported for the first time takes as long as a busy machine likes; what is waited for is ours.
    provider.why_unavailable()
    began = time.monotonic()
    reason = provider.why_unavailable()
    assert time.monotonic() - began < PATIENCE
    assert reason is not None
    assert "\n" not in reason
    assert len(reason) > 60, "what is missing and how to get it take more words"


def test_a_creation_that_cannot_be_ends_within_two_seconds_and_leaves_nothing(
    provider: Provider, tmp_path: Path
) -> None:
    with pytest.raises(ClustersError):
        provider.create(spec(), lambda _: None)
    began = time.monotonic()
    with pytest.raises(ClustersError) as caught:
        provider.create(spec(), lambda _: None)
    assert time.monotonic() - began < PATIENCE
    assert caught.value.exit_code in {2, 3}
    assert ledger.leases() == ()
    assert not [path for path in (tmp_path / "state").rglob("*") if path.is_file() and not path.name.endswith(".lock")]


@pytest.mark.parametrize("wrong", ["", "Upper", "under_score", "-dash", "a/../b", "x" * 80])
def test_a_name_that_cannot_be_a_clusters_is_refused_before_anything_is_made(provider: Provider, wrong: str) -> None:
    with pytest.raises(ClustersError):
        provider.create(spec(wrong), lambda _: None)
    assert ledger.leases() == ()


def test_a_provider_lists_its_own_leases_and_no_others(provider: Provider, name: str) -> None:
    for whose in (name, "somebody-else"):
        ledger.take(holders.lease_of_this_process(provider=whose, name=f"of-{whose}", run_id="r", created=0))
    assert [lease.name for lease in provider.list_leases()] == [f"of-{name}"]


def test_what_a_provider_says_of_itself_is_of_use(provider: Provider) -> None:
    if isinstance(provider, Lines):
        lines = provider.kubernetes_lines()
        assert list(lines) == sorted(lines, key=lambda line: [int(part) for part in line.split(".")])
    if isinstance(provider, Weighs):
        assert provider.weight() > 2**30
    if isinstance(provider, Hosts):
        assert provider.why_impossible(NodeConditions()) is None


def test_a_machine_without_clusters_has_no_leftovers(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
    if isinstance(provider, FindsLeftovers):
        assert [found.name for found in provider.find_leftovers() if found.name is not None] == []
