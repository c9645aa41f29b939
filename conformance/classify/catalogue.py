"""All failure classes, by name, in the order of the layers."""

from __future__ import annotations

from typing import Final

from conformance.classify.layers import (
    admission,
    executor,
    git,
    helm,
    mtls,
    network,
    provider,
    pull,
    recipe,
    registry,
    resource,
    rootlesskit,
    runtime,
    scheduling,
    snapshotter,
    tools,
)
from conformance.classify.records import FailureClass

_LAYERS: Final = (
    admission,
    scheduling,
    runtime,
    pull,
    rootlesskit,
    snapshotter,
    executor,
    tools,
    git,
    registry,
    network,
    mtls,
    resource,
    helm,
    recipe,
    provider,
)

CLASSES: Final[dict[str, FailureClass]] = {class_.name: class_ for module in _LAYERS for class_ in module.CLASSES}
