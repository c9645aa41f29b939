"""What a standalone release is told to call things, so that its client finds them."""

from __future__ import annotations

from typing import Final

#: The Service, the workload and the container of the daemon.
DAEMON: Final = "buildkitd"
PORT: Final = 1234
#: The Secret with the daemon's certificate.
SERVER_SECRET: Final = "buildkitd-server-tls"  # noqa: S105 - its name


def server_name(namespace: str) -> str:
    """Return the DNS name that clients dial, which the daemon's certificate must be for."""
    return f"{DAEMON}.{namespace}.svc.cluster.local"
