from __future__ import annotations

from pathlib import Path

import pytest

from clusters import prices
from clusters.errors import UsageError

ROW = """
[p]
date = 2026-01-02
source = "https://prices.example"
region = "r"
currency = "USD"
control_plane_hour = 0.1
node = "small"
node_hour = 0.2
beside_hour = 0.05
"""


def test_every_price_that_is_shipped_can_be_read_and_says_from_when_and_where_it_is() -> None:
    shipped = prices.load(prices.PRICES)
    assert {"aks", "eks"} <= shipped.keys()
    assert all(price.per_hour() > 0 for price in shipped.values())


def test_what_costs_nothing_has_no_price() -> None:
    assert prices.price_of("embedded") is None


def test_more_nodes_cost_more(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(ROW)
    price = prices.load(path)["p"]
    assert price.per_hour() == pytest.approx(0.35)
    assert price.per_hour(nodes=3) == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("good", "bad"), [("0.2", "-0.2"), ("https:", "ftp:"), ('"USD"', '"usd"'), ("region", "regions"), ("[p]", "[p")]
)
def test_a_wrong_file_is_named_with_its_fault(tmp_path: Path, good: str, bad: str) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(ROW.replace(good, bad, 1))
    with pytest.raises(UsageError, match=str(path)):
        prices.load(path)
