"""What clusters cost at list price: at worst, before a run begins, and what they did cost, in its report."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from clusters import prices, tags
from clusters.errors import ClustersError
from clusters.prices import Price
from conformance.errors import UsageError
from conformance.model import ClusterKey, Cost
from conformance.options import Request

#: How often a janitor is expected to look for what has lived too long, in minutes: until it does, it costs on.
JANITOR_MINUTES: Final = 60

_AMOUNT: Final = re.compile(r"\d{1,6}(\.\d{1,2})?")
_MINUTES: Final = re.compile(r"[1-9]\d{0,4}")
_HOUR: Final = 3600.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Worst:
    """The most a cluster can cost: as long as it may live, and until a janitor has come by."""

    cluster: str
    price: Price
    hours: float

    @property
    def amount(self) -> float:
        """Return the amount in the price's currency."""
        return self.hours * self.price.per_hour()

    def __str__(self) -> str:
        """Return the sum, e.g. `eks-1.34: 4 h x 0.1932 USD = 0.78 USD`."""
        rate, currency = self.price.per_hour(), self.price.currency
        return f"{self.cluster}: {self.hours:.4g} h x {rate:.4g} {currency} = {_up(self.amount)} {currency}"


def faults(request: Request) -> Iterator[str]:
    """Yield what is wrong with the options about money and time."""
    if request.budget and not _AMOUNT.fullmatch(request.budget):
        yield f"--budget {request.budget}: write an amount such as 2.00"
    if request.ttl and not _MINUTES.fullmatch(request.ttl):
        yield f"--ttl {request.ttl}: write whole minutes, e.g. 90"


def lifetime(request: Request) -> float | None:
    """Return how long a cloud cluster may live, in seconds; None: as the environment says."""
    return int(request.ttl) * 60.0 if _MINUTES.fullmatch(request.ttl) else None


def worst_cases(keys: Iterable[ClusterKey], request: Request) -> tuple[Worst, ...]:
    """Return the worst case of each cluster that costs anything. Raises UsageError for prices that cannot be read."""
    try:
        priced = [(key.name, price) for key in keys if (price := prices.price_of(key.provider)) is not None]
        seconds = lifetime(request) or tags.lifetime()
    except ClustersError as error:
        raise UsageError(str(error)) from error
    hours = (seconds + JANITOR_MINUTES * 60) / _HOUR
    return tuple(Worst(cluster=name, price=price, hours=hours) for name, price in priced)


def require_within_budget(keys: Iterable[ClusterKey], request: Request) -> None:
    """Raise UsageError with the whole sum when the clusters of a plan could cost more than the budget."""
    if not request.budget or not _AMOUNT.fullmatch(request.budget):
        return
    cases = worst_cases(keys, request)
    currencies = sorted({case.price.currency for case in cases})
    if len(currencies) > 1:
        raise UsageError(
            f"--budget: the prices are in {' and '.join(currencies)}: run these providers apart, each with its budget"
        )
    # Rounded: 0.35 x 4, twice, is a hair more than 2.80.
    total = round(sum(case.amount for case in cases), 6)
    if total > float(request.budget):
        raise UsageError(
            f"--budget {request.budget}: the clusters could cost {_up(total)} {currencies[0]} at list price if nothing "
            f"removed them before their time: {'; '.join(map(str, cases))} (hours: --ttl and {JANITOR_MINUTES} minutes "
            "until a janitor comes by). Shorten --ttl, narrow the plan, or raise the budget"
        )


def notes(keys: Iterable[ClusterKey], request: Request) -> Iterator[str]:
    """Yield what a plan could cost, a line for each cluster that costs anything."""
    for case in worst_cases(keys, request):
        yield f"at worst {case}, list price of {case.price.date} in {case.price.region} ({case.price.source})"


def cost(provider: str, seconds: float) -> Cost | None:
    """Return what a cluster of a provider cost that stood so long; None: it costs nothing, or nobody knows."""
    price = prices.price_of(provider)
    if price is None:
        return None
    return Cost(
        amount=round(seconds / _HOUR * price.per_hour(), 4),
        currency=price.currency,
        per_hour=round(price.per_hour(), 6),
        seconds=round(seconds, 1),
        region=price.region,
        date=price.date.isoformat(),
        source=price.source,
    )


def sentence(costs: Sequence[Cost]) -> str:
    """Return what clusters cost together, with date and source of the prices."""
    if not costs:
        return "cost: 0, for no cluster of this run has a price"
    sums: dict[str, float] = {}
    for each in costs:
        sums[each.currency] = sums.get(each.currency, 0.0) + each.amount
    total = " + ".join(f"{_up(amount)} {currency}" for currency, amount in sorted(sums.items()))
    where = ", ".join(dict.fromkeys(f"{each.date} in {each.region} ({each.source})" for each in costs))
    return f"cost: {total} until this report, at list price of {where}"


def _up(amount: float) -> str:
    """Return an amount with two decimals, rounded up: no cost looks smaller than it is."""
    return f"{math.ceil(round(amount * 100, 6)) / 100:.2f}"
