"""Where things are kept outside a run: built programs and images (cache), leases and cluster folders (state)."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

PROJECT = "build-conformance"

#: The folder that holds `matrices/`, `images/` and `charts/`.
CHECKOUT = Path(__file__).resolve().parents[1]


def cache_dir() -> Path:
    """Return the folder of built programs and images; `BUILD_CONFORMANCE_CACHE_DIR` moves it."""
    return Path(os.environ.get("BUILD_CONFORMANCE_CACHE_DIR") or platformdirs.user_cache_dir(PROJECT))


def state_dir() -> Path:
    """Return the folder of leases and live clusters; `BUILD_CONFORMANCE_STATE_DIR` moves it."""
    return Path(os.environ.get("BUILD_CONFORMANCE_STATE_DIR") or platformdirs.user_state_dir(PROJECT))
