"""What clusters cost, from `prices.toml`: data with a date and a source, never numbers in code."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from clusters.errors import UsageError

PRICES: Final = Path(__file__).with_name("prices.toml")

Amount = Annotated[float, Field(ge=0)]


class Price(BaseModel):
    """What a cluster of one provider costs; amounts are per hour, in `currency`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: When the source was read last.
    date: dt.date
    #: Where the amounts are from.
    source: Annotated[str, Field(pattern=r"^https://")]
    region: str
    #: ISO 4217.
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    control_plane_hour: Amount
    #: The machine type that `node_hour` is the price of.
    node: str
    node_hour: Amount
    #: Public address, load balancer and system disk of one cluster.
    beside_hour: Amount

    def per_hour(self, nodes: int = 1) -> float:
        """Return what a cluster of that many nodes costs per hour."""
        return self.control_plane_hour + nodes * self.node_hour + self.beside_hour


def price_of(provider: str) -> Price | None:
    """Return what a cluster of a provider costs, None for one that costs nothing. Raises UsageError for bad data."""
    return load(PRICES).get(provider)


@lru_cache(maxsize=4)
def load(path: Path) -> Mapping[str, Price]:
    """Return the prices of a file by provider. Raises UsageError that names what is wrong in it."""
    try:
        return TypeAdapter(dict[str, Price]).validate_python(tomllib.loads(path.read_text()))
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise UsageError(
            f"{path} cannot be used: {error}\nCorrect it; its first lines say what each key is."
        ) from error
