"""Weigh the reasons that the scheduler gives: one message names one for each node it looked at."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final


class Shortage(StrEnum):
    """What most nodes lack for a pod."""

    RESOURCES = "resources"
    PLACEMENT = "placement"
    PODS = "pods"


_COUNTED: Final = re.compile(
    r"(\d{1,6}) (?:(?P<pods>Too many pods)|(?P<resources>Insufficient [\w./-]{1,80})"
    r"|(?:node\(s\) )?(?P<placement>(?:had |were |did(?:n't| not) |don't |has )?(?:have )?"
    r"(?:untolerated taint|taints?\b|unschedulable|match|satisfy|volume node affinity|node affinity|free ports"
    r"|not ready|out of disk|(?:disk|memory|pid)[ -]pressure))"
    r"|(?P<full>max node group size reached))",
    re.IGNORECASE,
)
#: How Kubernetes before 1.10 counted: the predicate, and in brackets the nodes.
_COUNTED_BEFORE: Final = re.compile(
    r"\b(?:(?P<pods>Insufficient pods)|(?P<resources>Insufficient [\w./-]{1,80})"
    r"|(?P<placement>MatchNodeSelector|PodToleratesNodeTaints|MatchInterPodAffinity|NoVolumeZoneConflict|PodFitsHostPorts"
    r"|NodeUnschedulable|NodeNotReady|NodeUnderDiskPressure|NodeUnderMemoryPressure)) \((\d{1,6})\)"
)
_LONGEST: Final = 4000


def weigh(text: str) -> Shortage | None:
    """Return what keeps the pod from most nodes; None where the text counts nothing.

    The form is the scheduler's: `0/3 nodes are available: 2 Insufficient cpu, 1 node(s) had untolerated taint ...`,
    or that of its first years: `Insufficient cpu (2), PodToleratesNodeTaints (1)`.
    """
    counts = dict.fromkeys(Shortage, 0)
    first, _, _ = text[:_LONGEST].partition("preemption:")
    for reason in _COUNTED.finditer(first):
        number = int(reason.group(1))
        if reason.group("pods"):
            counts[Shortage.PODS] += number
        elif reason.group("resources") or reason.group("full"):
            counts[Shortage.RESOURCES] += number
        else:
            counts[Shortage.PLACEMENT] += number
    for reason in _COUNTED_BEFORE.finditer(first):
        counts[Shortage(next(name for name, found in reason.groupdict().items() if found))] += int(reason.group(4))
    most = max(counts, key=lambda shortage: counts[shortage])
    return most if counts[most] else None


def lacks_resources(text: str) -> bool:
    """Say whether most nodes lack cpu, memory or another resource."""
    return weigh(text) is Shortage.RESOURCES


def excluded_by_placement(text: str) -> bool:
    """Say whether taints, selectors or affinity exclude most nodes."""
    return weigh(text) is Shortage.PLACEMENT


def lacks_pod_slots(text: str) -> bool:
    """Say whether most nodes run as many pods as they may."""
    return weigh(text) is Shortage.PODS
