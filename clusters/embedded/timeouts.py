"""Every time limit of the embedded provider, in seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeouts:
    """How long what may take. Generous: a limit that passes means broken, not slow."""

    #: One of the host's small programs (ip, mount, nft) runs to its end.
    command: float = 20
    #: The new namespaces exist after `unshare` was started.
    namespaces: float = 20
    #: The veth's peer shows up inside.
    network: float = 20
    #: etcd, containerd: from start to answering.
    store: float = 60
    #: API server: from start to /readyz.
    api: float = 120
    #: Any other component: from start to healthy.
    component: float = 120
    #: Import of all images into the node.
    images: float = 300
    #: One look at a readiness endpoint.
    probe: float = 1
    #: One DNS question: lost when it is asked before the Service works.
    question: float = 0.2
    #: One request to the API server.
    request: float = 10
    #: The whole of what the supervisor does, as seen by who waits for it.
    cluster: float = 420
    #: Killed processes are gone, emptied cgroups can be removed.
    removal: float = 30
    #: Another `create` that claims a subnet lets go of the lock.
    lock: float = 60
    #: apt-get update, apt-get install.
    packages: float = 600


TIMEOUTS = Timeouts()
