"""How an adapter names an image of the cluster."""

from __future__ import annotations

from collections.abc import Mapping

from clusters.provider import Image, ImageRole
from conformance.errors import UsageError


def reference(images: Mapping[ImageRole, Image], role: ImageRole) -> str:
    """Return how a pod names the image of a role. Raises UsageError when the cluster has none."""
    if role not in images:
        raise UsageError(
            f"the cluster has no image for {role.value!r}: name one, or choose builders that do not use it."
        )
    return images[role].reference
