"""How each build tool is driven: one file a tool. Commands only; who runs them, and where, is the stages' matter."""

from conformance.tools.driver import DIGEST_MARK, Build, Driver
from conformance.tools.table import driver_of

__all__ = ["DIGEST_MARK", "Build", "Driver", "driver_of"]
