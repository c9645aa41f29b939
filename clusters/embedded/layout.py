"""What an embedded cluster is called and where its files are. Everything follows from its name and the state folder."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from clusters import paths
from clusters.errors import UsageError

#: Begins the name of every cgroup of ours.
CGROUP_PREFIX = "build-conformance-"
#: Begins the name of every host side of a veth pair of ours.
INTERFACE_PREFIX = "bch-"
#: Begins the name of the other side until it moves into the cluster's network namespace.
PEER_PREFIX = "bcp-"

#: Begins the name of every registration of an emulator of ours in binfmt_misc.
EMULATOR_PREFIX = "build-conformance-"

#: A DNS label (it becomes the node's name), short enough for cgroup and log names.
NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,48}[a-z0-9])?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """Names and paths of one cluster; `root` is its folder."""

    name: str
    root: Path

    @property
    def digest(self) -> str:
        """Return eight hexadecimal digits that tell clusters apart, also those of other state folders."""
        return hashlib.sha256(str(self.root).encode()).hexdigest()[:8]

    @property
    def cgroup(self) -> str:
        """Return the name of the cluster's folder in each cgroup hierarchy."""
        return f"{CGROUP_PREFIX}{self.name}-{self.digest}"

    @property
    def interface(self) -> str:
        """Return the host's side of the veth pair (at most 15 characters, IFNAMSIZ)."""
        return f"{INTERFACE_PREFIX}{self.digest}"

    @property
    def peer(self) -> str:
        """Return the name of the other side before it is moved."""
        return f"{PEER_PREFIX}{self.digest}"

    @property
    def kubeconfig(self) -> Path:
        """Return the administrator's kubeconfig, mode 0600, with everything embedded."""
        return self.root / "kubeconfig"

    @property
    def record(self) -> Path:
        """Return the file that says what was asked for and what was built."""
        return self.root / "cluster.json"

    @property
    def supervisor_spec(self) -> Path:
        """Return the supervisor's orders. Its path on a command line is how a cluster's processes are recognised."""
        return self.root / "supervisor.json"

    @property
    def status(self) -> Path:
        """Return the file in which the supervisor says how each step is."""
        return self.root / "status.json"

    @property
    def logs(self) -> Path:
        """Return the folder with one log a step."""
        return self.root / "logs"

    @property
    def pki(self) -> Path:
        """Return the folder of keys and certificates."""
        return self.root / "pki"

    @property
    def config(self) -> Path:
        """Return the folder of the components' configuration."""
        return self.root / "config"

    @property
    def kubeconfigs(self) -> Path:
        """Return the folder of the components' kubeconfigs."""
        return self.root / "kubeconfigs"

    @property
    def var_lib(self) -> Path:
        """Return what the cluster sees as `/var/lib`."""
        return self.root / "var-lib"

    @property
    def var_log(self) -> Path:
        """Return what the cluster sees as `/var/log`."""
        return self.root / "var-log"

    @property
    def sysctls(self) -> Path:
        """Return the folder of files that stand in for kernel settings a kubelet would otherwise change."""
        return self.root / "sysctls"

    @property
    def programs(self) -> Path:
        """Return the folder of links to the cluster's programs, by their plain names."""
        return self.root / "bin"

    @property
    def temporary(self) -> Path:
        """Return the components' home and folder for temporary files."""
        return self.root / "tmp"

    @property
    def folders(self) -> tuple[Path, ...]:
        """Return the folders to make below the root."""
        return (
            self.logs,
            self.pki,
            self.config,
            self.kubeconfigs,
            self.var_lib,
            self.var_log,
            self.sysctls,
            self.programs,
            self.temporary,
        )


def clusters_dir() -> Path:
    """Return the folder that holds a folder for each embedded cluster."""
    return (paths.state_dir() / "clusters").absolute()


def layout_of(name: str) -> Layout:
    """Return names and paths of a cluster. Raises UsageError for a name that is no DNS label."""
    if NAME.fullmatch(name) is None:
        raise UsageError(
            f"{name!r} cannot name a cluster: use up to 50 lower case letters, digits and '-', "
            "beginning and ending with a letter or digit"
        )
    return Layout(name=name, root=clusters_dir() / name)


def existing() -> tuple[Layout, ...]:
    """Return the layouts of all folders of clusters that are there, half-made ones too, by name."""
    if not clusters_dir().is_dir():
        return ()
    return tuple(
        Layout(name=path.name, root=path)
        for path in sorted(clusters_dir().iterdir())
        if path.is_dir() and NAME.fullmatch(path.name)
    )
