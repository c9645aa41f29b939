"""Every time limit of the EKS provider, in seconds, and how often it looks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """How long what may take, generously: a limit that passes means broken, not slow. AWS states few of these."""

    #: Between two looks at something that AWS is busy with.
    interval: float = 15
    #: The control plane is ACTIVE; usually after 8 to 12 minutes.
    cluster: float = 1800
    #: The node group is ACTIVE; usually after 2 to 4 minutes.
    node_group: float = 1500
    #: A role that was just made can be assumed everywhere.
    role: float = 120
    #: Node group or control plane are gone.
    deletion: float = 1800
    #: Whatever holds a subnet, a gateway or a network lets go: network interfaces of dead nodes take up to 20 minutes.
    release: float = 1500
    #: The API server's name resolves, it is ready, nodes are Ready, DNS runs.
    usable: float = 900
    #: Everything of a cluster is removed, one thing after the other.
    removal: float = 5400
    #: Between the looks of a removal that sees nothing: a request of a killed process may still arrive.
    settle: float = 10
    #: One run of the token plugin.
    token: float = 30
    #: One request to the cluster's API server.
    request: float = 10


PACE = Pace()
