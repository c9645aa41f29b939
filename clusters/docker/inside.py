"""The first steps inside the engine's own namespaces; then this process becomes the engine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from clusters import process, waiting
from clusters.docker.timeouts import TIMEOUTS


class Orders(BaseModel):
    """What the engine is started with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: The network interface that will appear, and its address with the length of its network.
    peer: str
    address: str
    #: Folders that a fresh /run must not hide.
    visible: tuple[Path, ...]
    #: The engine's command line and environment.
    command: tuple[str, ...]
    environment: dict[str, str]


def main() -> None:
    """Prepare mounts and network as the orders say, and become the engine."""
    orders = Orders.model_validate_json(Path(sys.argv[1]).read_text())
    run("mount", "--make-rshared", "/")
    if not any(folder.is_relative_to("/run") for folder in orders.visible):
        # Sockets and state that containerd keeps there are ours alone and vanish with us.
        run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    run("ip", "link", "set", "lo", "up")
    waiting.until(
        lambda: Path("/proc/net/dev").read_text().find(f"{orders.peer}:") >= 0,
        limit=TIMEOUTS.engine,
        what=f"the network interface {orders.peer}",
    )
    run("ip", "link", "set", orders.peer, "name", "eth0")
    run("ip", "addr", "add", orders.address, "dev", "eth0")
    run("ip", "link", "set", "eth0", "up")
    process.replace(orders.command, env=orders.environment)


def run(*words: str) -> None:
    """Run a small program of the machine."""
    process.run(words, timeout=TIMEOUTS.command, env=dict(os.environ))


if __name__ == "__main__":
    main()
