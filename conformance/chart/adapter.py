"""What the harness must know of a chart to test it, and the charts it knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from clusters.provider import Image, ImageRole
from conformance.chart.build_one_shot import BuildOneShot
from conformance.chart.build_sidecar import BuildSidecar
from conformance.chart.build_standalone import BuildStandalone
from conformance.chart.info import ChartInfo
from conformance.chart.radius import Radius
from conformance.errors import UsageError
from conformance.model import Builder, Topology


class ChartAdapter(Protocol):
    """How one chart is told to run a builder, and where in its pod things are."""

    @property
    def topology(self) -> Topology:
        """Say what the chart installs; builders of another topology are installed by another chart."""

    @property
    def builder_container(self) -> str:
        """Name the container that builds."""

    @property
    def client_container(self) -> str:
        """Name the container that drives builds with `buildctl`."""

    def values(self, builder: Builder, images: Mapping[ImageRole, Image], registry: str) -> dict[str, Any]:
        """Return the chart's values for a builder; `registry` is the fixtures' `host:port`, spoken to in plain http.

        Raises UsageError when the cluster lacks an image, or the chart cannot express the builder.
        """

    def connection(self, builder: Builder, namespace: str) -> tuple[str, ...]:
        """Return the global flags by which `buildctl` finds the daemon of a release in a namespace.

        None where the chart's own pod tells its client by BUILDKIT_HOST.
        """

    def post_renderer(self, builder: Builder, *, registry: str, release: str) -> Sequence[str]:
        """Return the program and arguments that change what the chart cannot be told; empty: nothing.

        `registry` is as in `values`; `release` is what the pod's label `app.kubernetes.io/instance` must say.
        """


#: By the name of the chart.
ADAPTERS: Final[Mapping[str, ChartAdapter]] = {
    "build-one-shot": BuildOneShot(),
    "build-sidecar": BuildSidecar(),
    "build-standalone": BuildStandalone(),
    "radius": Radius(),
}


def adapter_for(chart: ChartInfo, name: str | None = None) -> ChartAdapter:
    """Return the adapter of this name, or else the one for this chart. Raises UsageError that lists them."""
    wanted = name or chart.name
    if wanted not in ADAPTERS:
        what = f"there is no chart adapter {wanted!r}" if name else f"no chart adapter is known for {chart.name!r}"
        raise UsageError(f"{what}; there are: {', '.join(sorted(ADAPTERS))}. Name the one whose values the chart has.")
    return ADAPTERS[wanted]
