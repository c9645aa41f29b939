"""The provider `kind`: Kubernetes nodes in containers, made by kind's own command line."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any, ClassVar, Final

import yaml

from clusters.docker import engines, own, ports
from clusters.docker.engines import Engine
from clusters.docker.node_images import NodeImage
from clusters.docker.places import NETWORK_PREFIX, Place
from clusters.docker.provider import ContainerProvider
from clusters.docker.timeouts import TIMEOUTS
from clusters.docker.tools import Program
from clusters.docker.work import Work
from clusters.embedded import conditions
from clusters.errors import UsageError
from clusters.provider import SECCOMP_PROFILES, Leftover, NodeConditions

#: A configuration of kind's to begin with (kind.sigs.k8s.io/docs/user/configuration): several nodes, for example.
CONFIG_VARIABLE: Final = "BUILD_CONFORMANCE_KIND_CONFIG"

_API_VERSION: Final = "kind.x-k8s.io/v1alpha4"
_PROFILES: Final = Path(conditions.__file__).with_name("profiles")


class KindProvider(ContainerProvider):
    """kind on Docker, or on podman or nerdctl where `KIND_EXPERIMENTAL_PROVIDER` says so."""

    name: ClassVar[str] = "kind"
    oldest: ClassVar[str] = "0.27.0"
    label: ClassVar[str] = "io.x-k8s.kind.cluster"
    node_label: ClassVar[str] = ""
    server_label: ClassVar[str] = "io.x-k8s.kind.role=control-plane"
    kubectl: ClassVar[tuple[str, ...]] = ("kubectl", "--kubeconfig=/etc/kubernetes/admin.conf")
    certs: ClassVar[str] = "/etc/containerd/certs.d"
    containerd: ClassVar[tuple[str, ...]] = ("containerd", "config", "dump")
    enforcer: ClassVar[str] = "kindnet"

    def program(self) -> str:
        """Return the program of the engine that kind uses."""
        return engines.wanted_program(chosen_by_kind=True)

    def networks(self, place: Place) -> tuple[str, ...]:
        """Return the name of the network that kind is told to use instead of the one it shares."""
        return (place.network,)

    def strays(self, engine: Engine, known: Collection[str]) -> tuple[str, ...]:
        """Name the networks that bear our prefix: each is one cluster's alone."""
        names = engine.lines("network", "ls", "--format", "{{.Name}}")
        ours = [name for name in names if name.startswith(NETWORK_PREFIX) and name.rpartition("-")[2] not in known]
        return tuple(f"network {name}" for name in ours)

    def find_leftovers(self) -> tuple[Leftover, ...]:
        """Return the traces that no open lease explains, and an engine of ours that nobody uses."""
        engine = own.trace() if not own.users() else None
        return (*super().find_leftovers(), *([Leftover(provider=self.name, what=engine)] if engine else []))

    def make(self, work: Work, program: Program, image: NodeImage) -> None:
        """Write kind's configuration and have it create the cluster, which stays when that fails."""
        place = work.place
        server = {"apiServerAddress": work.engine.address, "apiServerPort": ports.free(work.engine)}
        content = config(
            read_config(os.environ.get(CONFIG_VARIABLE)), work.spec.conditions, server if work.engine.is_ours else {}
        )
        place.config.write_text(yaml.safe_dump(content, sort_keys=False))
        work.follow(
            program.path,
            *("create", "cluster", "--retain", "--name", place.short, "--image", image.reference),
            *("--config", str(place.config), "--kubeconfig", str(place.kubeconfig)),
            timeout=TIMEOUTS.creation,
            environment=_environment(place),
        )

    def load(self, work: Work, program: Program, archive: Path) -> None:
        """Have kind import an archive on every node."""
        work.follow(
            *(program.path, "load", "image-archive", str(archive), "--name", work.place.short),
            timeout=TIMEOUTS.load,
            environment=_environment(work.place),
        )


def config(given: dict[str, Any], wanted: NodeConditions, server: dict[str, Any]) -> dict[str, Any]:
    """Return kind's configuration: what was given, with what the node conditions and the engine ask for."""
    content = {"kind": "Cluster", "apiVersion": _API_VERSION, **given}
    if server:
        content["networking"] = {**(content.get("networking") or {}), **server}
    kubelet = conditions.kubelet(wanted)
    if kubelet:
        patch = {"kind": "KubeletConfiguration", "apiVersion": "kubelet.config.k8s.io/v1beta1", **kubelet}
        patches = [*(content.get("kubeadmConfigPatches") or ()), yaml.safe_dump(patch, sort_keys=False)]
        content["kubeadmConfigPatches"] = patches
    if wanted.seccomp_profiles:
        nodes = content.get("nodes") or [{"role": "control-plane"}]
        content["nodes"] = [{**node, "extraMounts": [*(node.get("extraMounts") or ()), *_mounts()]} for node in nodes]
    return content


def _mounts() -> list[dict[str, Any]]:
    """Return the mounts that put the Localhost seccomp profiles where the kubelet looks for them."""
    return [
        {
            "hostPath": str(_PROFILES / Path(name).name),
            "containerPath": f"/var/lib/kubelet/seccomp/{name}",
            "readOnly": True,
        }
        for name in SECCOMP_PROFILES
    ]


def _environment(place: Place) -> dict[str, str]:
    return {"KIND_EXPERIMENTAL_DOCKER_NETWORK": place.network}


def read_config(path: str | None) -> dict[str, Any]:
    """Return a configuration of the user's, nothing when there is none. Raises UsageError."""
    if not path:
        return {}
    try:
        content = yaml.safe_load(Path(path).read_text())
    except (OSError, yaml.YAMLError) as error:
        raise UsageError(f"{CONFIG_VARIABLE}={path} cannot be read: {error}") from error
    if not isinstance(content, dict) or content.get("apiVersion", _API_VERSION) != _API_VERSION:
        raise UsageError(f"{CONFIG_VARIABLE}={path} is no configuration of kind's: it needs apiVersion: {_API_VERSION}")
    return content
