"""Every time limit of the AKS provider, in seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How long what may take, and how often Azure is asked. Generous: a limit that passes means broken, not slow."""

    #: Between two looks at something Azure works on; a Retry-After of Azure's goes before it.
    poll: float = 10
    #: Between two looks at the cluster's own API server.
    look: float = 2
    #: First pause before a request that failed for a moment is sent again; doubles each time.
    backoff: float = 0.8
    #: A connection is there; an answer has come.
    connect: float = 20
    answer: float = 120
    #: `az` prints a token.
    command_line: int = 30
    #: A resource group that was made is known to all of Azure.
    consistency: float = 60
    #: From asking for the cluster to its being made.
    cluster: float = 1800
    #: From the cluster's being made to its API server answering, its nodes Ready and DNS running.
    usable: float = 900
    #: One request to the cluster's API server.
    request: float = 15
    #: From asking for the deletion to nothing being left.
    removal: float = 2400
    #: What a killed creator sent last has arrived: how long nothing must be there before it counts as gone.
    settle: float = 15
    #: Another `create` that claims a name lets go of the lock.
    lock: float = 30


LIMITS = Limits()
