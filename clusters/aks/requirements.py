"""What AKS needs before anything is created. Nobody is asked over the network: the answer comes at once."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from typing import Final

from clusters import tags, upstream_images
from clusters.aks import settings, signin
from clusters.errors import ClustersError
from clusters.provider import BASIC_IMAGES, ImageRole

_MODULES: Final = ("azure.identity", "azure.mgmt.containerservice", "azure.mgmt.resource.resources")

INSTALL: Final = (
    "the Azure SDK is not installed: `pip install 'build-conformance[aks]'`, or `uv sync --extra aks` in a checkout"
)
HELP: Final = "docs/how-to/aks.md has the steps. Nothing was created."


def why_unavailable(roles: frozenset[ImageRole] = BASIC_IMAGES) -> str | None:
    """Say in one paragraph everything that is missing and how to get it, None when nothing is known to be missing."""
    missing = tuple(_missing(roles))
    return f"AKS cannot be used: {'; '.join(missing)}. {HELP}" if missing else None


def why_sdk_is_missing() -> str | None:
    """Say how to install what speaks to Azure, None when it is there."""
    return None if all(_is_installed(module) for module in _MODULES) else INSTALL


def _missing(roles: frozenset[ImageRole]) -> Iterator[str]:
    sdk = why_sdk_is_missing()
    if sdk is not None:
        yield sdk
    try:
        settings.read(os.environ)
        tags.lifetime()
    except ClustersError as error:
        yield str(error)
    way = signin.chosen(os.environ)
    unusable = signin.NONE_FOUND if way is None else signin.why_unusable(way, os.environ)
    if unusable is not None:
        yield unusable
    try:
        upstream_images.require(roles)
    except ClustersError as error:
        yield str(error)


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False
