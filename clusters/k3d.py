"""The provider `k3d`: k3s nodes in containers, made by k3d's own command line."""

from __future__ import annotations

import os
import socket
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import ClassVar, Final

from clusters.docker import ports
from clusters.docker.engines import Engine
from clusters.docker.node_images import NodeImage
from clusters.docker.places import Place
from clusters.docker.provider import ContainerProvider
from clusters.docker.timeouts import TIMEOUTS
from clusters.docker.tools import Program
from clusters.docker.work import Work
from clusters.embedded import conditions
from clusters.errors import UsageError
from clusters.provider import SECCOMP_PROFILES, NodeConditions

#: A configuration of k3d's to begin with (k3d.io/stable/usage/configfile): agents, for example.
CONFIG_VARIABLE: Final = "BUILD_CONFORMANCE_K3D_CONFIG"

#: The label that nodes get beside k3d's own.
OURS: Final = "build-conformance"

_PROFILES: Final = Path(conditions.__file__).with_name("profiles")

#: What k3d starts beside nodes, and the variable that names another image of it.
_HELPERS: Final = {"K3D_IMAGE_TOOLS": "k3d-tools", "K3D_IMAGE_LOADBALANCER": "k3d-proxy"}


class K3dProvider(ContainerProvider):
    """k3d on Docker."""

    name: ClassVar[str] = "k3d"
    oldest: ClassVar[str] = "5.6.0"
    label: ClassVar[str] = "k3d.cluster"
    node_label: ClassVar[str] = "k3d.role"
    server_label: ClassVar[str] = "k3d.role=server"
    kubectl: ClassVar[tuple[str, ...]] = ("kubectl",)
    certs: ClassVar[str] = "/var/lib/rancher/k3s/agent/etc/containerd/certs.d"
    containerd: ClassVar[tuple[str, ...]] = ("cat", "/var/lib/rancher/k3s/agent/etc/containerd/config.toml")

    def why_impossible(self, conditions: NodeConditions) -> str | None:
        """Say in a few words why no node here can be like that, or None when one can."""
        if conditions.ids_per_pod != NodeConditions().ids_per_pod:
            return "k3s takes no number of ids per pod as an argument"
        return super().why_impossible(conditions)

    def networks(self, place: Place) -> tuple[str, ...]:
        """Return the name of the network that k3d makes for a cluster."""
        return (f"k3d-{place.short}",)

    def strays(self, engine: Engine, known: Collection[str]) -> tuple[str, ...]:
        """Name the containers that bear our label."""
        form = f'{{{{.Label "{OURS}"}}}} {{{{.Names}}}}'
        listed = [
            line.split(" ", 1) for line in engine.lines("ps", "--all", "--filter", f"label={OURS}", "--format", form)
        ]
        return tuple(f"container {name}" for digest, name in listed if digest not in known)

    def make(self, work: Work, program: Program, image: NodeImage) -> None:
        """Have k3d create the cluster, which stays when that fails, and write its kubeconfig."""
        place = work.place
        given = os.environ.get(CONFIG_VARIABLE)
        if given and not Path(given).is_file():
            raise UsageError(f"{CONFIG_VARIABLE}={given} is no file")
        words = [
            *("cluster", "create", place.short, "--image", image.reference),
            *("--api-port", _api_port(work.engine), "--no-rollback", "--timeout", f"{TIMEOUTS.creation:.0f}s"),
            *("--kubeconfig-update-default=false", "--kubeconfig-switch-context=false"),
            *("--runtime-label", f"{OURS}={place.digest}@server:*;agent:*"),
            # Without ports to share there is nothing to balance.
            *(("--config", given) if given else ("--no-lb",)),
            *arguments(work.spec.conditions),
        ]
        environment = _environment(image)
        work.follow(program.path, *words, timeout=TIMEOUTS.creation, environment=environment)
        said = work.ask(program.path, "kubeconfig", "get", place.short, environment=environment)
        place.kubeconfig.touch(mode=0o600)
        place.kubeconfig.write_text(said)

    def load(self, work: Work, program: Program, archive: Path) -> None:
        """Have k3d import an archive on every node."""
        work.follow(
            *(program.path, "image", "import", "--mode", "direct", "--cluster", work.place.short, str(archive)),
            timeout=TIMEOUTS.load,
        )


def arguments(wanted: NodeConditions) -> Iterator[str]:
    """Yield what node conditions ask of k3d and, through it, of each kubelet. Raises UsageError."""
    if wanted.seccomp_default:
        yield from ("--k3s-arg", "--kubelet-arg=seccomp-default@server:*;agent:*")
    if wanted.seccomp_profiles:
        for name in SECCOMP_PROFILES:
            yield from ("--volume", f"{_PROFILES / Path(name).name}:/var/lib/kubelet/seccomp/{name}:ro@all:*")


def _api_port(engine: Engine) -> str:
    if engine.is_ours:
        return f"{engine.address}:{ports.free(engine)}"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def _environment(image: NodeImage) -> dict[str, str]:
    """Return the variables that name helpers of ours where the node image is ours."""
    made = image.made
    return {} if made is None else {variable: made.references[name] for variable, name in _HELPERS.items()}
