"""Which image the nodes of a cluster run: the one that was asked for, the tool's own, or one that we assemble."""

from __future__ import annotations

import os
import platform
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from clusters.docker import nodes
from clusters.docker.engines import Engine
from clusters.docker.timeouts import TIMEOUTS
from clusters.embedded import toolchain
from clusters.errors import CommandError, UnavailableError, UsageError
from clusters.provider import Progress, Provenance

PUBLISHED: Final = Path(__file__).with_name("node_images.toml")

#: What a variable says to have the image assembled.
ASSEMBLED: Final = "assembled"


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeImage:
    """The image of a cluster's nodes: `reference` as the engine knows it; `made` is what was assembled, if anything."""

    reference: str
    made: nodes.NodeImages | None = None

    @property
    def provenance(self) -> Provenance:
        """Say what results on such nodes are results of."""
        return Provenance.GENUINE if self.made is None else Provenance.STAND_IN


def variable(tool: str) -> str:
    """Return the variable that names the node image of kind or k3d."""
    return f"BUILD_CONFORMANCE_{tool.upper()}_IMAGE"


@cache
def published(tool: str) -> Mapping[str, str]:
    """Return the images that are published for kind or k3d, by Kubernetes line."""
    content: Mapping[str, Mapping[str, str]] = tomllib.loads(PUBLISHED.read_text())
    return content[tool]


def lines(tool: str) -> tuple[str, ...]:
    """Return the Kubernetes lines that can be had, published or assembled."""
    both = {*published(tool), *toolchain.KUBERNETES_LINES}
    return tuple(sorted(both, key=lambda line: [int(part) for part in line.split(".")]))


def choose(tool: str, kubernetes: str, *, has_registry: bool, progress: Progress) -> NodeImage:
    """Return the node image of a Kubernetes line, assembling it where it comes to that. Raises ClustersError."""
    wanted = os.environ.get(variable(tool), "")
    if wanted and wanted != ASSEMBLED:
        return NodeImage(reference=wanted)
    if has_registry and wanted != ASSEMBLED:
        if kubernetes in published(tool):
            return NodeImage(reference=published(tool)[kubernetes])
        raise UsageError(
            f"no {tool} node image of Kubernetes {kubernetes} is known: use {', '.join(published(tool))}, or set "
            f"{variable(tool)} to an image that has it, or to {ASSEMBLED!r}"
        )
    return assembled(tool, kubernetes, progress)


def assembled(tool: str, kubernetes: str, progress: Progress) -> NodeImage:
    """Return the node image that is made here, made when it is not there yet. Raises ClustersError."""
    made = nodes.ensure(kubernetes, progress)
    return NodeImage(reference=made.references[tool], made=made)


def bring(image: NodeImage, engine: Engine, tool: str, progress: Progress) -> None:
    """Have the engine hold an image: there already, loaded from its archive, or pulled. Raises ClustersError."""
    if engine.run("image", "inspect", image.reference, check=False).returncode == 0:
        return
    if image.made is not None:
        progress("loading the assembled node image into the engine")
        engine.run("load", "--input", str(image.made.archive), timeout=TIMEOUTS.image)
        return
    progress(f"pulling {image.reference}")
    try:
        engine.run("pull", "--quiet", image.reference, timeout=TIMEOUTS.image)
    except CommandError as error:
        raise UnavailableError(
            f"the node image {image.reference} could not be pulled: {_last_line(error)}. Check the network and "
            f"the registry's limits, or set {variable(tool)} to an image that can be had, "
            f"or to {ASSEMBLED!r} to have one made on this machine (Linux, root, 30 minutes the first time)"
        ) from error


def may_be_assembled() -> bool:
    """Say whether node images can be made here at all."""
    return platform.system() == "Linux" and os.geteuid() == 0


def _last_line(error: CommandError) -> str:
    return (error.output.strip().splitlines() or ["it did not say why"])[-1]
