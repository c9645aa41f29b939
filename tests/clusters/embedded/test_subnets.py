from __future__ import annotations

from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusters.embedded import subnets
from clusters.errors import UsageError

SMALL = (IPv4Network("10.203.0.0/28"),)


def test_the_first_free_subnet_is_taken_and_its_addresses_are_in_it() -> None:
    subnet = subnets.choose([IPv4Network("10.203.0.0/30"), IPv4Network("10.203.0.5/32")], SMALL)
    assert subnet is not None
    assert (subnet.host, subnet.node) == ("10.203.0.9", "10.203.0.10")


def test_there_is_none_when_a_route_covers_the_whole_range() -> None:
    assert subnets.choose([IPv4Network("10.0.0.0/8")], SMALL) is None


def test_a_second_range_is_used_when_the_first_is_covered() -> None:
    subnet = subnets.choose([IPv4Network("10.0.0.0/8")], (*SMALL, IPv4Network("192.168.203.0/24")))
    assert subnet is not None
    assert subnet.node == "192.168.203.2"


@given(st.sets(st.integers(0, 15)))
def test_what_is_chosen_overlaps_nothing_that_is_used(hosts: set[int]) -> None:
    used = [IPv4Network((int(SMALL[0][0]) + host, 32)) for host in hosts]
    subnet = subnets.choose(used, SMALL)
    if subnet is None:
        assert {host // 4 for host in hosts} == {0, 1, 2, 3}
    else:
        assert not any(subnet.network.overlaps(network) for network in used)


def test_ranges_can_be_set_and_nonsense_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(subnets.RANGES_VARIABLE, "100.64.0.0/24, 10.9.0.0/16")
    assert subnets.ranges() == (IPv4Network("100.64.0.0/24"), IPv4Network("10.9.0.0/16"))
    monkeypatch.setenv(subnets.RANGES_VARIABLE, "10.9.0.1/16")
    with pytest.raises(UsageError, match=subnets.RANGES_VARIABLE):
        subnets.ranges()


def test_no_subnet_to_be_had_is_explained_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subnets, "used_on_host", lambda: (IPv4Network("10.0.0.0/8"),))
    monkeypatch.setenv(subnets.RANGES_VARIABLE, "10.9.0.0/16")
    reason = subnets.why_none() or ""
    assert "subnets in use: every /30 of 10.9.0.0/16" in reason
    assert subnets.RANGES_VARIABLE in reason
    monkeypatch.setenv(subnets.RANGES_VARIABLE, "192.168.9.0/24")
    assert subnets.why_none() is None
