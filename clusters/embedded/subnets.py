"""One veth pair a cluster, with four addresses of its own (a /30) that nothing else on this machine uses.

The host's interface is made while a lock is held, so what `ip` shows is at any time the whole truth.
"""

from __future__ import annotations

import ipaddress
import json
import os
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Protocol

from clusters import process
from clusters.embedded import locks
from clusters.embedded.timeouts import TIMEOUTS
from clusters.errors import CommandError, UnavailableError, UsageError

#: Where subnets are taken from, in this order. Private (RFC 1918) or for benchmarks (RFC 2544), and seldom used.
RANGES = ("10.203.0.0/16", "172.30.203.0/24", "192.168.203.0/24", "198.18.203.0/24")
#: Four addresses: the host's, the node's, and the two that a subnet needs itself.
PREFIX = 30
#: A comma-separated list that replaces RANGES.
RANGES_VARIABLE = "BUILD_CONFORMANCE_SUBNETS"


class Ends(Protocol):
    """Whoever is to be connected: what the two sides of its pair are called (at most 15 characters, IFNAMSIZ)."""

    @property
    def interface(self) -> str:
        """Return the name of the host's side."""

    @property
    def peer(self) -> str:
        """Return the name of the other side before it is moved."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Subnet:
    """A /30: the host's address and the node's."""

    network: IPv4Network

    @property
    def host(self) -> str:
        """Return the host's address."""
        return str(self.network[1])

    @property
    def node(self) -> str:
        """Return the node's address."""
        return str(self.network[2])


def ranges() -> tuple[IPv4Network, ...]:
    """Return where subnets may be taken from. Raises UsageError when the variable does not say networks."""
    text = os.environ.get(RANGES_VARIABLE) or ",".join(RANGES)
    try:
        return tuple(IPv4Network(part.strip()) for part in text.split(","))
    except ValueError as error:
        raise UsageError(
            f"{RANGES_VARIABLE}={text!r} is no list of IPv4 networks ({error}): write for example 10.203.0.0/16"
        ) from error


def choose(used: Iterable[IPv4Network], candidates: Iterable[IPv4Network]) -> Subnet | None:
    """Return the first /30 that overlaps nothing that is used, or None."""
    busy = tuple(used)
    for network in _thirties(candidates):
        if not any(network.overlaps(other) for other in busy):
            return Subnet(network=network)
    return None


def _thirties(candidates: Iterable[IPv4Network]) -> Iterator[IPv4Network]:
    for candidate in candidates:
        if candidate.prefixlen <= PREFIX:
            yield from candidate.subnets(new_prefix=PREFIX)


def used_on_host() -> tuple[IPv4Network, ...]:
    """Return every IPv4 network that this machine has a route to, in any table, the default route aside."""
    routes = json.loads(process.run(["ip", "-4", "-json", "route", "show", "table", "all"]).stdout or "[]")
    destinations = {route.get("dst", "default") for route in routes}
    return tuple(
        ipaddress.IPv4Network(destination, strict=False) for destination in destinations - {"default", "0.0.0.0/0"}
    )


def why_none() -> str | None:
    """Say why no subnet can be had, or None when one can. Raises UsageError for a variable that says no networks."""
    return None if choose(used_on_host(), ranges()) is not None else _none_is_free()


def _none_is_free() -> str:
    return (
        f"subnets in use: every /{PREFIX} of {', '.join(map(str, ranges()))} overlaps a route of this machine "
        f"(`ip route show table all`). Set {RANGES_VARIABLE} to a network that is free, "
        "or delete clusters: python -m clusters list"
    )


def connect(layout: Ends) -> Subnet:
    """Make the veth pair, give the host's side its address, and return the subnet. Raises ClustersError.

    The other side stays here under its first name until `hand_over`.
    """
    with locks.held():
        subnet = choose(used_on_host(), ranges())
        if subnet is None:
            raise UnavailableError(_none_is_free())
        _batch(
            f"link add {layout.interface} type veth peer name {layout.peer}",
            f"addr add {subnet.host}/{PREFIX} dev {layout.interface}",
            f"link set {layout.interface} up",
        )
        return subnet


def hand_over(layout: Ends, pid: int) -> None:
    """Move the other side of the pair into the network namespace of a process."""
    _batch(f"link set {layout.peer} netns {pid}")


def disconnect(layout: Ends) -> None:
    """Remove the veth pair, both sides at once; one that is gone is no error."""
    if layout.interface in interfaces():
        try:
            _batch(f"link del {layout.interface}")
        except CommandError:
            # The kernel removes it by itself when the cluster's namespace goes, perhaps just now.
            if layout.interface in interfaces():
                raise


def interfaces() -> frozenset[str]:
    """Return the names of this machine's network interfaces."""
    return frozenset(name for _, name in socket.if_nameindex())


def _batch(*lines: str) -> None:
    process.run(["ip", "-batch", "-"], stdin="\n".join(lines).encode(), timeout=TIMEOUTS.command)
