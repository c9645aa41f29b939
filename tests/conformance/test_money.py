from __future__ import annotations

from pathlib import Path

import pytest

from clusters import prices
from conformance import money
from conformance.errors import UsageError
from conformance.model import ClusterKey
from conformance.options import Request

ROW = """
[{name}]
date = 2026-01-02
source = "https://prices.example"
region = "r"
currency = "{currency}"
control_plane_hour = 0.1
node = "small"
node_hour = 0.2
beside_hour = 0.05
"""
DEAR = ClusterKey(provider="dear", kubernetes="1.35")
FREE = ClusterKey(provider="embedded", kubernetes="1.35")


@pytest.fixture(autouse=True)
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Prices of which one hour costs 0.35."""
    path = tmp_path / "prices.toml"
    path.write_text(ROW.format(name="dear", currency="USD") + ROW.format(name="foreign", currency="EUR"))
    monkeypatch.setattr(prices, "PRICES", path)
    monkeypatch.delenv("BUILD_CONFORMANCE_LIFETIME_MINUTES", raising=False)
    return path


def test_the_worst_case_is_the_whole_life_and_a_janitors_period() -> None:
    # 60 minutes and the 60 until a janitor comes by, at 0.35 an hour.
    money.require_within_budget([DEAR, FREE], Request(budget="0.70", ttl="60"))
    with pytest.raises(UsageError) as caught:
        money.require_within_budget([DEAR, FREE], Request(budget="0.69", ttl="60"))
    assert "dear-1.35: 2 h x 0.35 USD = 0.70 USD" in str(caught.value)
    assert "could cost 0.70 USD" in str(caught.value)


def test_every_cluster_counts_and_without_a_ttl_its_default_does() -> None:
    other = ClusterKey(provider="dear", kubernetes="1.34")
    with pytest.raises(UsageError, match=r"could cost 2\.80 USD"):
        money.require_within_budget([DEAR, other], Request(budget="2.79"))
    money.require_within_budget([DEAR, other], Request(budget="2.80"))


def test_what_is_on_this_machine_costs_nothing() -> None:
    money.require_within_budget([FREE], Request(budget="0"))
    assert money.cost("embedded", 3600) is None
    assert money.sentence([]) == "cost: 0, for no cluster of this run has a price"


def test_without_a_budget_nothing_is_refused() -> None:
    money.require_within_budget([DEAR] * 1000, Request())


def test_currencies_do_not_add_up() -> None:
    foreign = ClusterKey(provider="foreign", kubernetes="1.35")
    with pytest.raises(UsageError, match="EUR and USD"):
        money.require_within_budget([DEAR, foreign], Request(budget="100"))


@pytest.mark.parametrize(
    "request_", [Request(budget="2,00"), Request(budget="-1"), Request(ttl="0"), Request(ttl="1h")]
)
def test_what_is_no_amount_or_no_time_is_refused(request_: Request) -> None:
    assert len(list(money.faults(request_))) == 1
    assert not list(money.faults(Request(budget="2.00", ttl="90")))


def test_what_a_cluster_cost_is_said_with_date_and_source() -> None:
    cost = money.cost("dear", 1800)
    assert cost is not None
    assert cost.amount == pytest.approx(0.175)
    said = money.sentence([cost, cost])
    assert said == "cost: 0.35 USD until this report, at list price of 2026-01-02 in r (https://prices.example)"


def test_no_cost_looks_smaller_than_it_is() -> None:
    cost = money.cost("dear", 10)
    assert cost is not None
    assert money.sentence([cost]).startswith("cost: 0.01 USD")
