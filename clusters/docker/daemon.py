"""The processes of the engine of our own: their start in new namespaces, and their end."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import psutil

from clusters import paths, process, waiting
from clusters.docker import inside
from clusters.docker.engines import Engine
from clusters.docker.own_layout import Own
from clusters.docker.timeouts import TIMEOUTS
from clusters.embedded import cgroups, host, requirements, subnets, toolchain
from clusters.errors import ClusterFailedError

#: Programs of the toolchain, and what dockerd calls them.
PROGRAMS: Final = {
    "containerd": "containerd",
    "containerd-shim-runc-v2": "containerd-shim-runc-v2",
    "ctr": "ctr",
    "docker-client": "docker",
    "docker-proxy": "docker-proxy",
    "dockerd": "dockerd",
    "runc": "runc",
    "tini-static": "docker-init",
}

#: kind has every node see this folder; where a machine has none, Docker makes it.
MODULES: Final = Path("/lib/modules")

_NAMESPACES: Final = ("--mount", "--net", "--pid", "--ipc", "--uts")


def running(mine: Own) -> Engine | None:
    """Return the engine if it runs and answers."""
    if not mine.address.is_file() or not processes(mine):
        return None
    engine = engine_of(mine, mine.address.read_text().strip())
    return engine if engine.run("version", check=False, timeout=TIMEOUTS.ask).returncode == 0 else None


def engine_of(mine: Own, address: str) -> Engine:
    """Return how an engine at that address is spoken to."""
    environment = {
        "DOCKER_HOST": f"unix://{mine.socket}",
        "DOCKER_CONFIG": str(mine.root / "config"),
        "PATH": f"{mine.programs}:{requirements.PROGRAM_PATH}",
    }
    return Engine(program=str(mine.programs / "docker"), environment=environment, address=address)


def start(mine: Own) -> None:
    """Start the engine without waiting for it. Raises ClustersError."""
    programs = toolchain.locate(toolchain.pick(PROGRAMS))
    for folder in (mine.programs, mine.root / "config"):
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    for name, called in PROGRAMS.items():
        (mine.programs / called).symlink_to(programs[name])
    if not MODULES.exists():
        (mine.root / "without-modules").touch()
    subnet = subnets.connect(mine)
    orders = inside.Orders(
        peer=mine.peer,
        address=f"{subnet.node}/{subnets.PREFIX}",
        visible=(mine.root, paths.cache_dir().absolute(), paths.CHECKOUT),
        command=(str(mine.programs / "docker-init"), "-s", "--", *_daemon(mine, programs["runc"])),
        environment={"PATH": f"{mine.programs}:{requirements.PROGRAM_PATH}", "HOME": str(mine.root), "LANG": "C.UTF-8"},
    )
    mine.orders.write_text(orders.model_dump_json(indent=1))
    joined = cgroups.create(mine.cgroup, cgroups.mounted())
    child = process.spawn(
        [
            *("unshare", *_NAMESPACES, "--fork", "--mount-proc", "--kill-child", "--propagation", "private"),
            *(sys.executable, "-m", "clusters.docker.inside", mine.orders),
        ],
        log=mine.log,
        cwd=Path("/"),
        env={"PATH": requirements.PROGRAM_PATH, "LANG": "C.UTF-8", "PYTHONPATH": str(paths.CHECKOUT)},
    )
    for cgroup in joined:
        (cgroup / "cgroup.procs").write_text(str(child.pid))
    outside = Path("/proc/self/ns/net").stat().st_ino

    def has_namespaces() -> bool:
        if child.poll() is not None:
            raise ClusterFailedError("engine", "start", f"it ended with {child.returncode}: {_tail(mine)}", mine.log)
        return Path(f"/proc/{child.pid}/ns/net").stat().st_ino != outside

    waiting.until(has_namespaces, limit=TIMEOUTS.engine, what="new namespaces")
    subnets.hand_over(mine, child.pid)
    (mine.root / "address.unready").write_text(subnet.node)


def _daemon(mine: Own, runc: Path) -> tuple[str, ...]:
    """Return dockerd's command line; its runtime asks for no capability that root lacks here."""
    runtime = mine.root / "runtime"
    missing = "" if host.has_capability(host.CAP_SYS_RESOURCE) else "CAP_SYS_RESOURCE"
    script = Path(__file__).with_name("runtime.py")
    runtime.write_text(f'#!/bin/sh\nexec "{sys.executable}" -IS "{script}" "{runc}" "{missing}" "$@"\n')
    runtime.chmod(0o755)
    # Of our own, so that what the machine's says is not read.
    (mine.root / "daemon.json").write_text("{}\n")
    return (
        str(mine.programs / "dockerd"),
        *("--data-root", str(mine.root / "data"), "--exec-root", str(mine.root / "exec")),
        *("--pidfile", str(mine.root / "docker.pid"), "--host", f"unix://{mine.socket}"),
        *("--add-runtime", f"ours={runtime}", "--default-runtime", "ours"),
        *("--cgroup-parent", f"/{mine.cgroup}", "--log-level", "warn", "--config-file", str(mine.root / "daemon.json")),
    )


def wait(mine: Own) -> Engine:
    """Wait until the engine answers. Raises ClusterFailedError, TooSlowError."""
    engine = engine_of(mine, (mine.root / "address.unready").read_text())

    def answers() -> bool:
        if not processes(mine):
            raise ClusterFailedError("engine", "start", f"it ended: {_tail(mine)}", mine.log)
        return engine.run("version", check=False, timeout=TIMEOUTS.ask).returncode == 0

    waiting.until(answers, limit=TIMEOUTS.engine, what="our Docker engine to answer", interval=0.2)
    (mine.root / "address.unready").rename(mine.address)
    return engine


def _tail(mine: Own) -> str:
    return (
        "\n".join(mine.log.read_text(errors="replace").splitlines()[-10:]) if mine.log.is_file() else "it said nothing"
    )


def processes(mine: Own) -> tuple[psutil.Process, ...]:
    """Return the processes that hold the engine: `unshare`, with which the kernel kills all the others."""
    found = []
    for candidate in psutil.process_iter():
        try:
            words = candidate.cmdline()
            if words[-1:] == [str(mine.orders)] and candidate.status() != psutil.STATUS_ZOMBIE:
                found.append(candidate)
        except psutil.Error:
            continue
    return tuple(found)


def end(mine: Own) -> None:
    """Kill the engine and all that runs on it, and take away its cgroups and network. Raises TooSlowError."""
    for victim in processes(mine):
        try:
            victim.kill()
            victim.wait(TIMEOUTS.removal)
        except psutil.NoSuchProcess:
            continue
    cgroups.remove(mine.cgroup, cgroups.mounted())
    subnets.disconnect(mine)
    if (mine.root / "without-modules").exists() and MODULES.is_dir() and not any(MODULES.iterdir()):
        MODULES.rmdir()
