"""The published support matrix: what runs on genuine clusters have shown, kept as data beside the code."""

from conformance.publish.gather import Gathered, gather, join
from conformance.publish.overview import age, is_stale
from conformance.publish.proof import faults
from conformance.publish.records import STALE_DAYS, Published, PublishedCell, Shelf, Verdict
from conformance.publish.store import REPORTS, differences, publish, read_all

__all__ = [
    "REPORTS",
    "STALE_DAYS",
    "Gathered",
    "Published",
    "PublishedCell",
    "Shelf",
    "Verdict",
    "age",
    "differences",
    "faults",
    "gather",
    "is_stale",
    "join",
    "publish",
    "read_all",
]
