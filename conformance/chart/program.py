"""Which helm is used: one that was named, one on PATH, or the toolchain's."""

from __future__ import annotations

import os
import shutil
from functools import cache
from pathlib import Path
from typing import Final

from packaging.version import InvalidVersion, Version

from clusters import process
from clusters.embedded import toolchain
from clusters.errors import ClustersError
from conformance.chart.limits import LIMITS
from conformance.errors import UsageError

#: Names a helm to use instead of the one that would be found.
OVERRIDE: Final = "CONFORMANCE_HELM"
#: The oldest helm that is known to work, and the first that no longer is v3 (its flags differ).
OLDEST: Final = Version("3.14")
TOO_NEW: Final = Version("4.0.0.dev0")


def find_helm() -> Path:
    """Return a helm 3 of 3.14 or newer. Builds nothing. Raises UsageError that says how to get one."""
    return _find(os.environ.get(OVERRIDE, ""), os.environ.get("PATH", ""))


def helm_version(helm: Path | None = None) -> str:
    """Return the version of a helm (default: the one that is used) without its `v`, e.g. `3.22.0`."""
    return str(_version(helm or find_helm()))


@cache
def _find(named: str, path: str) -> Path:
    """Find it once for each state of the environment: every call of helm asks."""
    if named:
        return _named(Path(named).expanduser().absolute())
    on_path = shutil.which("helm", path=path)
    fault = "there is no helm on PATH" if on_path is None else _fault(Path(on_path))
    if on_path is not None and fault is None:
        return Path(on_path)
    try:
        return toolchain.locate(toolchain.pick(["helm"], kubernetes=toolchain.DEFAULT_LINE))["helm"]
    except ClustersError as error:
        raise UsageError(
            f"No helm to install the chart with: {fault}; the toolchain's is {error}.\n"
            f"Do that, or install helm 3 ({OLDEST} or newer), or name one in {OVERRIDE}."
        ) from error


def _named(helm: Path) -> Path:
    fault = _fault(helm)
    if fault is not None:
        raise UsageError(f"{OVERRIDE}: {fault}. Name a helm 3 of {OLDEST} or newer, or unset it.")
    return helm


def _fault(helm: Path) -> str | None:
    """Say why a program cannot be used, or None."""
    try:
        version = _version(helm)
    except (ClustersError, OSError) as error:
        return f"{helm} does not run: {error}"
    except InvalidVersion:
        return f"{helm} does not say its version as helm does"
    if OLDEST <= version < TOO_NEW:
        return None
    return f"{helm} is version {version}, not between {OLDEST} and 4"


@cache
def _version(helm: Path) -> Version:
    # The environment is kept from it: HELM_DEBUG and the like add lines to the answer.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HELM_")}
    done = process.run([helm, "version", "--template", "{{ .Version }}"], env=clean, timeout=LIMITS.version)
    return Version(done.stdout.strip())
