"""The toolchain: the pinned programs of the embedded cluster, built from source into a cache.

`ensure` builds what is missing, `locate` only looks; both take what `programs_for` or `pick` returns.
"""

from clusters.embedded.toolchain.programs import Program, pick, programs_for, version_of
from clusters.embedded.toolchain.supply import ensure, locate
from clusters.embedded.toolchain.tools import DEFAULT_LINE, KUBERNETES_LINES

__all__ = [
    "DEFAULT_LINE",
    "KUBERNETES_LINES",
    "Program",
    "ensure",
    "locate",
    "pick",
    "programs_for",
    "version_of",
]
