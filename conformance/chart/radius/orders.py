"""What the adapter orders of the post-renderer: one argument, JSON."""

from __future__ import annotations

from conformance.model import Builder
from conformance.model.record import Record


class Orders(Record):
    """A builder for the pod, the fixtures' registry (`host:port`, plain http), and the release the pod is of."""

    builder: Builder
    registry: str
    release: str
