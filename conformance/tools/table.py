"""Which driver drives which builder."""

from __future__ import annotations

from conformance.errors import UsageError
from conformance.model import Builder, Client, Tool
from conformance.tools.buildctl import Buildctl
from conformance.tools.driver import Driver


def driver_of(builder: Builder, connection: tuple[str, ...] = ()) -> Driver:
    """Return what drives a builder; `connection` are the flags by which a BuildKit client finds its daemon.

    Raises UsageError when no driver is known for it.
    """
    match builder.tool, builder.client:
        case Tool.BUILDKIT, Client.BUILDCTL:
            return Buildctl(connection=connection)
        case _:
            raise UsageError(
                f"builder {builder.name!r}: no driver is known of {builder.tool} by {builder.client}"
            )
