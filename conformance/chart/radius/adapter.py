"""The adapter of Radius' chart."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from clusters.provider import Image, ImageRole
from conformance.chart.images import reference
from conformance.chart.radius.names import CLIENT, DAEMON
from conformance.chart.radius.orders import Orders
from conformance.model import Builder, Topology


class Radius:
    """Says a builder in the values of Radius' chart, and the rest to the post-renderer.

    The daemon and its client always meet at the pod's loopback, tcp://127.0.0.1:1234, which the chart tells both: a
    builder's `transport` is not taken over.
    """

    topology = Topology.SIDECAR
    builder_container = DAEMON
    client_container = CLIENT

    def values(self, builder: Builder, images: Mapping[ImageRole, Image], registry: str) -> dict[str, Any]:  # noqa: ARG002 - protocol
        """Return the values: the sidecar on, the download of Terraform off, images of the cluster."""
        # The chart joins the two by a colon, so a digest may be cut at its own.
        name, _, tag = reference(images, builder.client_image).rpartition(":")
        return {
            "global": {"terraform": {"enabled": False}},
            "dynamicrp": {
                "image": name,
                "tag": tag,
                "buildkit": {"enabled": True, "image": reference(images, builder.image)},
            },
        }

    def connection(self, builder: Builder, namespace: str) -> tuple[str, ...]:  # noqa: ARG002 - protocol
        """Return nothing: the chart sets the client's BUILDKIT_HOST."""
        return ()

    def post_renderer(self, builder: Builder, *, registry: str, release: str) -> Sequence[str]:
        """Return this package's program and its orders."""
        orders = Orders(builder=builder, registry=registry, release=release)
        return (sys.executable, "-m", "conformance.chart.radius", orders.model_dump_json(exclude_defaults=True))
