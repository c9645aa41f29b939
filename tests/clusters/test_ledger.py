from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clusters import holders, ledger
from clusters.provider import Lease


def lease(name: str = "one", provider: str = "embedded", pid: int = 1) -> Lease:
    return Lease(provider=provider, name=name, run_id="r", created=1.5, pid=pid, pid_started=2.25, boot="b")


@pytest.mark.usefixtures("state_dir")
def test_a_lease_is_found_until_it_is_released() -> None:
    ledger.take(lease())
    assert ledger.find("embedded", "one") == lease()
    ledger.release("embedded", "one")
    assert ledger.find("embedded", "one") is None
    assert ledger.leases() == ()


@pytest.mark.usefixtures("state_dir")
def test_leases_are_told_apart_by_provider_and_name() -> None:
    ledger.take(lease("one"))
    ledger.take(lease("two"))
    ledger.take(lease("one", provider="kind"))
    ledger.release("embedded", "one")
    assert [(found.provider, found.name) for found in ledger.leases()] == [("embedded", "two"), ("kind", "one")]
    assert [found.name for found in ledger.leases("kind")] == ["one"]


@pytest.mark.usefixtures("state_dir")
def test_a_kept_lease_needs_no_holder() -> None:
    ledger.take(lease())
    ledger.keep("embedded", "one")
    found = ledger.find("embedded", "one")
    assert found is not None
    assert found.kept
    assert len(ledger.leases()) == 1


def test_a_torn_last_line_loses_only_itself(state_dir: Path) -> None:
    ledger.take(lease("one"))
    with ledger.ledger_path().open("a") as file:
        file.write('{"event":"lease","provider":"embedded","na')
    assert [found.name for found in ledger.leases()] == ["one"]
    ledger.take(lease("two"))
    assert [found.name for found in ledger.leases()] == ["one", "two"]
    assert ledger.ledger_path().parent == state_dir


@pytest.mark.usefixtures("state_dir")
def test_a_row_is_on_disk_when_take_returns(monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_size))
    ledger.take(lease())
    assert synced == [ledger.ledger_path().stat().st_size]


@pytest.mark.usefixtures("state_dir")
def test_writers_at_the_same_time_do_not_mix_their_rows() -> None:
    names = [f"n{number}" for number in range(60)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: ledger.take(lease(name)), names))
    assert sorted(found.name for found in ledger.leases()) == sorted(names)
    assert all(json.loads(line) for line in ledger.ledger_path().read_text().splitlines())


@pytest.mark.usefixtures("state_dir")
def test_only_the_process_that_took_a_lease_holds_it_here() -> None:
    ledger.take(lease("other", pid=os.getpid()))
    assert not ledger.is_held_here("embedded", "other")
    ledger.take(holders.lease_of_this_process(provider="embedded", name="own", run_id="r", created=0))
    assert ledger.is_held_here("embedded", "own")
    ledger.keep("embedded", "own")
    assert not ledger.is_held_here("embedded", "own")
