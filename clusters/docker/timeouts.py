"""Every time limit of the providers that use a container engine, in seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeouts:
    """How long what may take. Generous: a limit that passes means broken, not slow."""

    #: An engine says its version; why_unavailable promises an answer within two seconds.
    look: float = 1.5
    #: A small request to an engine: list, inspect, run something in a node.
    command: float = 60
    #: An engine of our own: from start to answering.
    engine: float = 90
    #: Another process starts or stops the engine of our own.
    lock: float = 180
    #: Another process assembles a node image.
    assembly: float = 3600
    #: A node image is pulled, or loaded from its archive.
    image: float = 900
    #: kind or k3d make a cluster.
    creation: float = 600
    #: The images of builders and fixtures get onto the nodes.
    load: float = 300
    #: Nodes Ready, cluster DNS available.
    ready: float = 300
    #: One look at whether they are.
    ask: float = 20
    #: Containers, networks and volumes are removed.
    removal: float = 120
    #: kind collects logs.
    logs: float = 120


TIMEOUTS = Timeouts()
