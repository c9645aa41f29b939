"""What this machine must offer before a cluster is tried, each thing as a sentence that says what to do about it."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable
from pathlib import Path

import psutil

from clusters import paths, process
from clusters.embedded import cgroups, requirements, subnets
from clusters.embedded.timeouts import TIMEOUTS

#: Bytes. A node with all images takes about 2 GB of disk; its processes about 1.5 GB of memory.
DISK_NEEDED = 5 * 10**9
MEMORY_NEEDED = 2 * 10**9

# Bits of capabilities(7), <linux/capability.h>.
CAP_NET_ADMIN = 12
CAP_SYS_ADMIN = 21
CAP_SYS_RESOURCE = 24


def why_unavailable() -> str | None:
    """Return the first reason why no cluster can be created here, or None."""
    return next((reason for check in CHECKS if (reason := check()) is not None), None)


def has_capability(bit: int) -> bool:
    """Say whether this process has a capability in its effective set."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> bit & 1)
    return False


def has_apparmor() -> bool:
    """Say whether the kernel enforces AppArmor profiles."""
    parameter = Path("/sys/module/apparmor/parameters/enabled")
    return parameter.is_file() and parameter.read_text().startswith("Y")


def filters_bridge() -> bool:
    """Say whether packets on a bridge can be made to pass the packet filter."""
    return Path("/proc/sys/net/bridge/bridge-nf-call-iptables").exists()


def _system() -> str | None:
    if platform.system() == "Linux":
        return None
    return (
        f"the embedded provider needs Linux, and this is {platform.system()}: "
        "use a Linux machine or virtual machine, or another provider"
    )


def _root() -> str | None:
    if os.geteuid() == 0:
        return None
    return "the embedded provider needs root for namespaces, cgroups and mounts: run this as root (sudo)"


def _capabilities() -> str | None:
    names = {CAP_SYS_ADMIN: "CAP_SYS_ADMIN", CAP_NET_ADMIN: "CAP_NET_ADMIN"}
    missing = [name for bit, name in names.items() if not has_capability(bit)]
    if not missing:
        return None
    return f"root lacks {', '.join(missing)} here: in a container, run it privileged, or use a virtual machine"


def _packages() -> str | None:
    missing = requirements.missing()
    reason = requirements.why_not_installable()
    if not missing or reason is None:
        # What is missing and may be installed is no obstacle: `prepare` installs it.
        return None
    return f"{requirements.explain(missing)} ({reason})"


def _cgroups() -> str | None:
    return cgroups.why_unusable(cgroups.mounted())


def _user_namespaces() -> str | None:
    limit = Path("/proc/sys/user/max_user_namespaces")
    if limit.is_file() and int(limit.read_text()) > 0:
        return None
    return (
        "user namespaces are off in this kernel, and most builders need them: "
        "sysctl -w user.max_user_namespaces=15000, or a kernel with CONFIG_USER_NS"
    )


def _overlay() -> str | None:
    if "\toverlay\n" in Path("/proc/filesystems").read_text():
        return None
    if shutil.which("modprobe", path=requirements.PROGRAM_PATH) is not None:
        process.run(["modprobe", "overlay"], check=False, timeout=TIMEOUTS.command)
    if "\toverlay\n" in Path("/proc/filesystems").read_text():
        return None
    return "this kernel has no overlay file system: modprobe overlay, or use a kernel with CONFIG_OVERLAY_FS"


def _nftables() -> str | None:
    nft = shutil.which("nft", path=requirements.PROGRAM_PATH)
    if nft is None:
        return None
    looked = process.run([nft, "list", "tables"], check=False, timeout=TIMEOUTS.command)
    if looked.returncode == 0:
        return None
    return (
        f"this kernel has no nftables ({looked.stderr.strip()}): modprobe nf_tables, or a kernel with CONFIG_NF_TABLES"
    )


def _subnet() -> str | None:
    return subnets.why_none() if shutil.which("ip", path=requirements.PROGRAM_PATH) is not None else None


def _kmsg() -> str | None:
    if Path("/dev/kmsg").exists():
        return None
    return "/dev/kmsg is missing and kubelets insist on it: in a container, pass the device on"


def _disk() -> str | None:
    folder = paths.state_dir()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free >= DISK_NEEDED:
        return None
    return (
        f"only {free / 1e9:.1f} GB of disk are free at {folder} and a cluster needs {DISK_NEEDED / 1e9:.0f} GB: "
        "make room, or set BUILD_CONFORMANCE_STATE_DIR to a roomier folder"
    )


def _memory() -> str | None:
    available = psutil.virtual_memory().available
    if available >= MEMORY_NEEDED:
        return None
    return (
        f"only {available / 1e9:.1f} GB of memory are available and a cluster needs {MEMORY_NEEDED / 1e9:.0f} GB: "
        "end other programs first (python -m clusters list shows other clusters)"
    )


#: What any containers of ours need of a machine on which we are root, whoever starts them.
MACHINE_CHECKS: tuple[Callable[[], str | None], ...] = (
    _capabilities,
    _cgroups,
    _user_namespaces,
    _overlay,
    _subnet,
    _kmsg,
    _disk,
    _memory,
)

#: In the order in which they make sense: what only root can look at comes after root.
CHECKS: tuple[Callable[[], str | None], ...] = (
    _system,
    _root,
    _capabilities,
    _packages,
    _cgroups,
    _user_namespaces,
    _overlay,
    _nftables,
    _subnet,
    _kmsg,
    _disk,
    _memory,
)
