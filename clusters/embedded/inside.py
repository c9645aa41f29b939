"""The first things the supervisor does in its new namespaces: cgroups, mounts, network. Nothing of it outlives them."""

from __future__ import annotations

import socket
from pathlib import Path

from clusters import process, waiting
from clusters.embedded import emulators, mounts
from clusters.embedded.orders import Network, Orders
from clusters.embedded.timeouts import TIMEOUTS

#: Below the private /run.
UNCOVERED_PROC = Path("/run/build-conformance/proc")
BINFMT_MISC = Path("/run/build-conformance/binfmt_misc")


def prepare(orders: Orders) -> None:
    """Turn bare namespaces into a node's surroundings. Raises ClustersError or OSError."""
    for cgroup in orders.cgroups:
        # "0" is whoever writes it: see cgroups(7).
        (cgroup / "cgroup.procs").write_text("0")
    socket.sethostname(orders.hostname)
    mounts.arrange(orders.mounts, orders.visible)
    mounts.add_uncovered_proc(UNCOVERED_PROC)
    if orders.emulators:
        # Where nobody else has it mounted, what is registered ends with this mount, and so with the cluster.
        mounts.add_binfmt_misc(BINFMT_MISC)
        emulators.register(orders.emulators, BINFMT_MISC)
    _connect(orders.network)
    for name, value in orders.sysctls.items():
        setting = Path("/proc/sys", name)
        if setting.exists():
            setting.write_text(value)


def _connect(network: Network) -> None:
    waiting.until(
        lambda: any(name == network.peer for _, name in socket.if_nameindex()),
        limit=TIMEOUTS.network,
        what=f"the network interface {network.peer}",
        interval=0.01,
    )
    lines = [
        "link set lo up",
        f"link set {network.peer} name {network.interface}",
        f"addr add {network.address} dev {network.interface}",
        f"link set {network.interface} up",
        *(f"route add {route} dev {network.interface}" for route in network.routes),
    ]
    process.run(["ip", "-batch", "-"], stdin="\n".join(lines).encode(), timeout=TIMEOUTS.command)
