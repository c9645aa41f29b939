"""NetworkPolicies: kube-router's policy controller as a component on the node, and what it needs of this machine.

It writes rules for iptables and sets of addresses for ipset in the node's own network namespace; all pods of a node
are on one bridge, so packets between them meet those rules only where the kernel lets a bridge be filtered.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from clusters import process
from clusters.embedded import access, host
from clusters.embedded.access import Objects
from clusters.embedded.addresses import SERVICE_CIDR
from clusters.embedded.layout import Layout
from clusters.embedded.orders import Kind, Ready, Step
from clusters.embedded.requirements import PROGRAM_PATH
from clusters.embedded.timeouts import TIMEOUTS

#: The toolchain's program, and what its step, its certificate and its kubeconfig are called.
PROGRAM: Final = "kube-router"
USER: Final = "system:kube-router"

#: The Debian packages that it runs.
PACKAGES: Final = Path(__file__).with_suffix(".toml")

HEALTH: Final = "127.0.0.1:20244"

#: One of each kind of rule that the controller writes (kube-router, pkg/controllers/netpol), in a namespace that ends
#: with it.
_TRIAL: Final = """\
set -e
ipset create addresses hash:ip timeout 0
ipset create networks hash:net timeout 0
iptables -N trial
iptables -A trial -m set --match-set addresses src -m set --match-set networks dst -j MARK --set-xmark 0x10000/0x10000
iptables -A trial -m mark ! --mark 0x10000/0x10000 -m limit --limit 10/minute -j NFLOG --nflog-group 100
iptables -A trial -m mark ! --mark 0x10000/0x10000 -j REJECT
iptables -A INPUT -p tcp -m addrtype --dst-type LOCAL -m multiport --dports 30000:32767 -j RETURN
iptables -A FORWARD -m comment --comment trial -m physdev --physdev-is-bridged -d 10.0.0.1 -j trial
"""


def why_impossible() -> str | None:
    """Say what this machine lacks to enforce policies, or None. Tries it, where the programs for it are there."""
    if not host.filters_bridge():
        return (
            "packets on a bridge cannot pass the packet filter here: modprobe br_netfilter, "
            "or a kernel with CONFIG_BRIDGE_NETFILTER"
        )
    if any(shutil.which(program, path=PROGRAM_PATH) is None for program in ("iptables", "ipset")):
        # `prepare` installs them.
        return None
    tried = process.run(
        ["unshare", "--net", "sh", "-c", _TRIAL],
        env={"PATH": PROGRAM_PATH, "LANG": "C.UTF-8"},
        check=False,
        timeout=TIMEOUTS.command,
    )
    if tried.returncode == 0:
        return None
    return f"this kernel takes no rules as kube-router writes them ({' '.join(tried.stderr.split())})"


def objects() -> Objects:
    """Return API path and body of what the controller may read."""
    return (
        access.role(
            USER,
            {"apiGroups": [""], "resources": ["pods", "namespaces"], "verbs": ["list", "watch"]},
            {"apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"], "verbs": ["list", "watch"]},
            {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get"]},
        ),
        access.binding(USER, role=USER, user=USER),
    )


def step(layout: Layout) -> Step:
    """Return the controller's step: ready once the kernel has its rules, which is what its health tells."""
    return Step(
        name=PROGRAM,
        needs=("features", "node"),
        argv=(
            PROGRAM,
            f"--kubeconfig={layout.kubeconfigs / PROGRAM}",
            f"--node={layout.name}",
            f"--service-cluster-ip-range={SERVICE_CIDR}",
            f"--health={HEALTH}",
        ),
        ready=Ready(kind=Kind.HTTP, target=f"http://{HEALTH}/healthz", limit=TIMEOUTS.component),
    )
