"""The node's own processes: their orders, their start in new namespaces, and following how they come up."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from clusters import paths, process, waiting
from clusters.embedded import components, status, subnets
from clusters.embedded.addresses import API_PORT, SERVICE_CIDR
from clusters.embedded.layout import Layout
from clusters.embedded.orders import Api, Mount, Network, Orders
from clusters.embedded.requirements import PROGRAM_PATH
from clusters.embedded.status import Phase, State, Status, log_tail
from clusters.embedded.steps import Steps
from clusters.embedded.subnets import Subnet
from clusters.embedded.timeouts import TIMEOUTS
from clusters.errors import ClusterFailedError

#: What a kubelet sets on its node (k8s.io/component-helpers, node/util/sysctl). They are the machine's, not the
#: cluster's, so the kubelet is shown files that say what it wants to see, and changes nothing.
KUBELET_SYSCTLS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}

NAMESPACES = ("--mount", "--net", "--pid", "--ipc", "--uts")


def orders(
    layout: Layout, subnet: Subnet, *, cgroups: tuple[Path, ...], visible: tuple[Path, ...], images: Path
) -> Orders:
    """Return what the supervisor is to do; `visible` are folders it must be able to read, `images` an archive."""
    mounts = [
        Mount(target=Path("/run")),
        Mount(target=Path("/var/lib"), source=layout.var_lib),
        Mount(target=Path("/var/log"), source=layout.var_log),
        *(
            Mount(target=Path("/proc/sys", name), source=layout.sysctls / name.replace("/", "."))
            for name in KUBELET_SYSCTLS
            if Path("/proc/sys", name).exists()
        ),
    ]
    return Orders(
        hostname=layout.name,
        status=layout.status,
        logs=layout.logs,
        env=environment(layout),
        cgroups=cgroups,
        mounts=tuple(mounts),
        visible=_existing(layout.root, paths.CHECKOUT, Path(sys.prefix), Path(sys.base_prefix), *visible),
        sysctls={"net/ipv4/ip_forward": "1", "net/bridge/bridge-nf-call-iptables": "1"},
        network=Network(
            peer=layout.peer,
            interface="eth0",
            address=f"{subnet.node}/{subnets.PREFIX}",
            # There is no default route: nothing leaves the cluster. Services need some route to be translated at all.
            routes=(SERVICE_CIDR,),
        ),
        api=api(layout, "127.0.0.1"),
        steps=components.steps(layout, node_ip=subnet.node, images=images),
    )


def api(layout: Layout, host: str) -> Api:
    """Return how to speak to the API server as administrator."""
    return Api(
        host=host,
        port=API_PORT,
        ca=layout.pki / "ca.crt",
        certificate=layout.pki / "admin.crt",
        key=layout.pki / "admin.key",
    )


def environment(layout: Layout) -> dict[str, str]:
    """Return the components' whole environment: nothing of ours, no proxies above all, may reach them."""
    return {
        "PATH": f"{layout.programs}:{PROGRAM_PATH}",
        "HOME": str(layout.temporary),
        "TMPDIR": str(layout.temporary),
        "LANG": "C.UTF-8",
    }


def write_surroundings(layout: Layout, programs: Mapping[str, Path]) -> None:
    """Link the programs under their plain names and write the kernel settings that the kubelet is shown."""
    for name, path in programs.items():
        (layout.programs / name).symlink_to(path)
    for name, value in KUBELET_SYSCTLS.items():
        (layout.sysctls / name.replace("/", ".")).write_text(f"{value}\n")


def start(layout: Layout, cgroups: tuple[Path, ...]) -> process.Child:
    """Start the supervisor in namespaces of its own and give it its network. Raises ClustersError."""
    child = process.spawn(
        [
            *("unshare", *NAMESPACES, "--fork", "--mount-proc", "--kill-child", "--propagation", "private"),
            *(sys.executable, "-m", "clusters.embedded.supervisor", layout.supervisor_spec),
        ],
        log=layout.logs / "supervisor.log",
        cwd=Path("/"),
        env={"PATH": PROGRAM_PATH, "LANG": "C.UTF-8", "PYTHONPATH": str(paths.CHECKOUT)},
    )
    for cgroup in cgroups:
        # Out of whatever we were started in: a service or session that ends must not take the cluster along.
        (cgroup / "cgroup.procs").write_text(str(child.pid))
    own = Path("/proc/self/ns/net").stat().st_ino

    def has_namespaces() -> bool:
        _require_alive(layout, child)
        return Path(f"/proc/{child.pid}/ns/net").stat().st_ino != own

    waiting.until(has_namespaces, limit=TIMEOUTS.namespaces, what="new namespaces", interval=0.005)
    subnets.hand_over(layout, child.pid)
    return child


def follow(layout: Layout, child: process.Child, steps: Steps) -> None:
    """Report the supervisor's steps as they become ready, until all are. Raises ClusterFailedError, TooSlowError."""
    reported: set[str] = set()

    def is_up() -> bool:
        _require_alive(layout, child)
        now = status.read(layout.status)
        if now is None:
            return False
        for step in now.steps:
            if step.state is State.READY and step.name not in reported:
                reported.add(step.name)
                steps.done(step.name, (step.ready or 0) - (step.started or 0))
        if now.failure is not None:
            raise ClusterFailedError(layout.name, now.failure.step, explain(layout, now), layout.logs)
        return now.phase is Phase.READY

    waiting.until(is_up, limit=TIMEOUTS.cluster, what=f"cluster {layout.name}")


def explain(layout: Layout, now: Status) -> str:
    """Return why a cluster failed, with the end of that step's log."""
    if now.failure is None:
        return "nothing is known to be wrong"
    tail = log_tail(layout.logs, now.failure.step)
    return f"{now.failure.reason}; the end of its log:\n{tail}" if tail else now.failure.reason


def _require_alive(layout: Layout, child: process.Child) -> None:
    code = child.poll()
    if code is not None:
        tail = log_tail(layout.logs, "supervisor")
        raise ClusterFailedError(layout.name, "supervisor", f"it ended with {code}:\n{tail}", layout.logs)


def _existing(*candidates: Path) -> tuple[Path, ...]:
    """Return those that are there, without links, each once, outer folders first."""
    return tuple(sorted({path.resolve() for path in candidates if path.exists()}))
