from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from clusters import holders, janitor, ledger
from clusters.errors import ClustersError
from clusters.janitor import Fate
from clusters.provider import Cluster, ClusterSpec, Lease, Leftover, Progress, Provider


class FakeProvider:
    """Remembers what was deleted."""

    def __init__(self, *, leftovers: tuple[Leftover, ...] = (), broken: str = "") -> None:
        self.deleted: list[str] = []
        self._leftovers = leftovers
        self._broken = broken

    def why_unavailable(self) -> str | None:
        return None

    def create(self, spec: ClusterSpec, progress: Progress) -> Cluster:
        raise NotImplementedError

    def delete(self, name: str) -> None:
        if name == self._broken:
            raise ClustersError(f"{name} will not go")
        self.deleted.append(name)

    def collect_logs(self, name: str, into: Path) -> None:
        raise NotImplementedError

    def list_leases(self) -> tuple[Lease, ...]:
        return ledger.leases("fake")

    def find_leftovers(self) -> tuple[Leftover, ...]:
        return self._leftovers


def held_by_us(name: str) -> Lease:
    return holders.lease_of_this_process(provider="fake", name=name, run_id="r", created=0)


def held_by_nobody(name: str, provider: str = "fake") -> Lease:
    return Lease(provider=provider, name=name, run_id="r", created=0, pid=2**22 + 1, pid_started=1.0, boot="gone")


def table(provider: FakeProvider) -> Mapping[str, Provider]:
    return {"fake": provider}


@pytest.mark.usefixtures("state_dir")
def test_what_a_dead_process_held_is_removed_and_released() -> None:
    ledger.take(held_by_nobody("lost"))
    provider = FakeProvider()
    findings = janitor.sweep(table(provider))
    assert [finding.fate for finding in findings] == [Fate.REMOVED]
    assert provider.deleted == ["lost"]
    assert ledger.leases() == ()
    assert janitor.sweep(table(provider)) == ()


@pytest.mark.usefixtures("state_dir")
@pytest.mark.parametrize("everything", [False, True])
def test_what_a_living_process_holds_is_left_alone(*, everything: bool) -> None:
    ledger.take(held_by_us("running"))
    provider = FakeProvider()
    findings = janitor.sweep(table(provider), everything=everything)
    assert [finding.fate for finding in findings] == [Fate.LEFT_ALONE]
    assert provider.deleted == []


@pytest.mark.usefixtures("state_dir")
def test_what_is_kept_goes_only_when_everything_is_asked_for() -> None:
    ledger.take(held_by_nobody("mine"))
    ledger.keep("fake", "mine")
    provider = FakeProvider()
    assert [finding.fate for finding in janitor.sweep(table(provider))] == [Fate.LEFT_ALONE]
    assert [finding.fate for finding in janitor.sweep(table(provider), everything=True)] == [Fate.REMOVED]
    assert provider.deleted == ["mine"]


@pytest.mark.usefixtures("state_dir")
def test_a_dry_run_touches_nothing() -> None:
    ledger.take(held_by_nobody("lost"))
    provider = FakeProvider(leftovers=(Leftover(provider="fake", what="folder stray", name="stray"),))
    findings = janitor.sweep(table(provider), dry_run=True, everything=True)
    assert [finding.fate for finding in findings] == [Fate.WOULD_REMOVE, Fate.WOULD_REMOVE]
    assert provider.deleted == []
    assert len(ledger.leases()) == 1


@pytest.mark.usefixtures("state_dir")
def test_one_that_will_not_go_does_not_keep_the_others() -> None:
    ledger.take(held_by_nobody("stuck"))
    ledger.take(held_by_nobody("lost"))
    provider = FakeProvider(broken="stuck")
    findings = janitor.sweep(table(provider))
    assert [finding.fate for finding in findings] == [Fate.FAILED, Fate.REMOVED]
    assert "will not go" in findings[0].why
    assert [lease.name for lease in ledger.leases()] == ["stuck"]


@pytest.mark.usefixtures("state_dir")
def test_a_lease_of_a_provider_that_is_not_there_is_reported() -> None:
    ledger.take(held_by_nobody("old", provider="bygone"))
    findings = janitor.sweep(table(FakeProvider()))
    assert [finding.fate for finding in findings] == [Fate.FAILED]


@pytest.mark.usefixtures("state_dir")
def test_a_trace_without_a_lease_is_told_and_removed_only_when_asked_for_by_name() -> None:
    nameless = Leftover(provider="fake", what="interface x")
    provider = FakeProvider(leftovers=(Leftover(provider="fake", what="folder stray", name="stray"), nameless))
    assert {finding.fate for finding in janitor.sweep(table(provider))} == {Fate.LEFT_ALONE}
    fates = [finding.fate for finding in janitor.sweep(table(provider), everything=True)]
    assert fates == [Fate.REMOVED, Fate.LEFT_ALONE]
    assert provider.deleted == ["stray"]


@pytest.mark.usefixtures("state_dir")
def test_only_one_providers_leases_are_looked_at_when_that_is_asked_for() -> None:
    ledger.take(held_by_nobody("lost"))
    ledger.take(held_by_nobody("others", provider="elsewhere"))
    provider = FakeProvider()
    assert [finding.what for finding in janitor.sweep(table(provider), only="fake")] == ["cluster lost"]
    assert provider.deleted == ["lost"]
