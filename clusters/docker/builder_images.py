"""The images of builders, client and fixtures: published ones where a registry answers, the others assembled here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from clusters import upstream_images
from clusters.embedded import images, toolchain
from clusters.provider import ClusterSpec, Image, ImageRole, Progress


@dataclass(frozen=True, kw_only=True, slots=True)
class BuilderImages:
    """Images by role; those in `archive` have to be put on the nodes, the others the nodes pull."""

    images: Mapping[ImageRole, Image] = field(default_factory=dict)
    archive: Path | None = None


def prepare(spec: ClusterSpec, *, has_registry: bool, progress: Progress) -> BuilderImages:
    """Return the images that a cluster is asked for, assembling what no registry has. Raises ClustersError."""
    published = _published(spec, progress) if has_registry else {}
    roles = spec.images - published.keys()
    if not roles:
        return BuilderImages(images=published)
    wanted = toolchain.pick(sorted(images.needed_programs(roles)))
    made = images.ensure(toolchain.ensure(wanted, progress=progress), progress, roles)
    return BuilderImages(images={**published, **made.images}, archive=made.archive)


def _published(spec: ClusterSpec, progress: Progress) -> Mapping[ImageRole, Image]:
    """Return the images that a registry says it has now: what cannot be asked is assembled."""
    known = {role: entry for role, entry in upstream_images.load().items() if role in spec.images}
    found = upstream_images.resolve(known, progress)
    return {role: image for role, image in found.items() if image.digest}
