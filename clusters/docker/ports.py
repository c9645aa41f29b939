"""A free port for an API server on an engine of our own, which kind and k3d cannot look for themselves."""

from __future__ import annotations

import re
import secrets
from typing import Final

from clusters.docker.engines import Engine
from clusters.errors import UnavailableError

#: Below what kernels hand out by themselves (ip_local_port_range).
_RANGE: Final = range(20000, 32000)
_TRIES: Final = 100


def free(engine: Engine) -> int:
    """Return a port that no container of the engine publishes. Raises UnavailableError."""
    published = engine.run("ps", "--all", "--format", "{{.Ports}}").stdout
    used = {int(port) for port in re.findall(r":(\d+)->", published)}
    for _ in range(_TRIES):
        port = secrets.choice(_RANGE)
        if port not in used:
            return port
    raise UnavailableError("no port is free on our Docker engine: delete clusters, python -m clusters list")
