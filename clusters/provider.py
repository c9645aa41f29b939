"""What a provider is: the verbs, what it is asked for, what it hands out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

#: Told what is happening now, one short line at a time; the caller decides how to show it.
Progress = Callable[[str], None]


class Capability(StrEnum):
    """What a cluster can do. A closed list: what needs something else adds it here first."""

    #: Pods can use images that are in no registry, because the provider put them on the node.
    PRELOADED_IMAGES = "preloaded-images"
    #: The node's container runtime can pull from the fixture registry by its Service name, over plain http.
    NODE_PULLS_FIXTURES = "node-pulls-fixtures"
    #: The kubelet's `/configz` may be read through the API server.
    CONFIGZ = "configz"
    #: Privileged pods may be created without asking: the cluster is ours alone.
    OURS = "ours"
    #: A claim for a volume is answered: there is a default StorageClass with a provisioner.
    VOLUMES = "volumes"
    #: NetworkPolicies are enforced, not only stored.
    NETWORK_POLICY = "network-policy"


class Provenance(StrEnum):
    """What a result is a result of. Only genuine ones are published as that provider's."""

    GENUINE = "genuine"
    STAND_IN = "stand-in"
    SIMULATED = "simulated"


class ImageRole(StrEnum):
    """What an image is for."""

    #: The unprivileged client: a shell, a static busybox and `buildctl`.
    APP = "app"
    #: rootlesskit + buildkitd as user 1000.
    BUILDKIT_ROOTLESS = "buildkit-rootless"
    #: buildkitd as root.
    BUILDKIT_ROOTFUL = "buildkit-rootful"
    #: Git server and image registry; the registry has the images that builds start from.
    FIXTURES = "fixtures"
    #: rootlesskit + an old buildkitd as user 1000.
    BUILDKIT_ROOTLESS_V0_14 = "buildkit-rootless-v0.14"
    #: An old buildkitd as root.
    BUILDKIT_ROOTFUL_V0_14 = "buildkit-rootful-v0.14"
    #: The rootless BuildKit with an emulator of its own for the other architecture.
    BUILDKIT_ROOTLESS_QEMU = "buildkit-rootless-qemu"
    #: buildah as user 1000; no daemon.
    BUILDAH = "buildah"
    #: podman as user 1000; no daemon.
    PODMAN = "podman"
    #: kaniko's executor, a shell beside it.
    KANIKO = "kaniko"
    #: The client, with Docker's client and buildx besides.
    BUILDX = "buildx"
    #: BuildKit's Dockerfile frontend, for whoever starts it as a pod: the fixture registry serves it to builds.
    FRONTEND = "frontend"


#: What every cluster has: fixtures, client and the BuildKit of the basic sidecars.
BASIC_IMAGES: Final = frozenset(
    {ImageRole.APP, ImageRole.BUILDKIT_ROOTLESS, ImageRole.BUILDKIT_ROOTFUL, ImageRole.FIXTURES}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Image:
    """An image pods can use: `reference` as a pod names it, `digest` of its manifest, `origin` says who made it."""

    role: ImageRole
    reference: str
    digest: str
    origin: str


#: The Localhost seccomp profiles that a node with `NodeConditions.seccomp_profiles` has, as pods name them.
SECCOMP_PROFILES: Final = ("build-conformance/allow-all.json", "build-conformance/rootless.json")


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeConditions:
    """What a node is asked to be like where that changes the answer; the defaults are the kubelet's own."""

    #: The kubelet's `seccompDefault`: a container that names no seccomp profile gets the runtime's.
    seccomp_default: bool = False
    #: The kubelet's `userNamespaces.idsPerPod`: how many ids a pod with `hostUsers: false` is given.
    ids_per_pod: int = 65536
    #: The harness' Localhost seccomp profiles lie in the kubelet's folder.
    seccomp_profiles: bool = False
    #: Programs of foreign architectures run by emulation: binfmt_misc knows the emulators.
    emulators: bool = False
    #: The kernel enforces AppArmor profiles; only a machine can have that, no configuration gives it.
    apparmor: bool = False

    def describe(self) -> str:
        """Name what differs from the defaults, e.g. `seccomp-default ids-per-pod=262144`; `default` if nothing does."""
        others = [
            f"{each.name.replace('_', '-')}{'' if value is True else f'={value}'}"
            for each in fields(self)
            if (value := getattr(self, each.name)) != each.default
        ]
        return " ".join(others) or "default"


@dataclass(frozen=True, kw_only=True, slots=True)
class ClusterSpec:
    """What is asked of a provider.

    `name` is unique on this machine and derived from the run; `kubernetes` is a line such as `1.35`.
    """

    name: str
    run_id: str
    kubernetes: str
    conditions: NodeConditions = NodeConditions()
    #: The images that must be on the node: those its cells use, and no others need to be made.
    images: frozenset[ImageRole] = BASIC_IMAGES
    #: What the cluster must be able to do beside what every cluster of its provider can, e.g. `Capability.VOLUMES`.
    features: frozenset[Capability] = frozenset()
    #: Of a cluster that stands already: the kubeconfig (None: the user's own) and its context (empty: the current one).
    kubeconfig: Path | None = None
    context: str = ""
    #: Seconds a cloud cluster may live from the start of its creation; None: as `clusters.tags` says.
    lifetime: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Cluster:
    """A cluster that is up. Plain data, so that it can be handed to worker processes."""

    name: str
    provider: str
    run_id: str
    kubeconfig: Path
    #: The line that was asked for, e.g. `1.35`.
    kubernetes: str
    provenance: Provenance
    capabilities: frozenset[Capability]
    images: Mapping[ImageRole, Image]
    #: Facts only the provider knows (versions of its own components), for the record.
    facts: Mapping[str, str] = field(default_factory=dict)
    #: The kubeconfig's context; empty: its current one.
    context: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lease:
    """The record of something that may exist: written before the first changing call, released after the last."""

    provider: str
    name: str
    run_id: str
    #: Seconds since the epoch.
    created: float
    #: The process that holds it and when that process started (seconds after boot): pids are reused.
    pid: int
    pid_started: float
    #: Which boot of the machine that was (`/proc/sys/kernel/random/boot_id`).
    boot: str = ""
    #: Nobody needs to hold it: it stays until somebody deletes it by name.
    kept: bool = False


class Provider(Protocol):
    """Where clusters come from. Five verbs; no method may name a provider."""

    def why_unavailable(self) -> str | None:
        """Say what is missing on this machine and how to get it, or None when a cluster can be created."""

    def create(self, spec: ClusterSpec, progress: Progress) -> Cluster:
        """Stand a cluster up and return it usable: nodes Ready, images present, DNS answering. Raises ClustersError."""

    def delete(self, name: str) -> None:
        """Remove everything that bears this name; what is already gone is no error."""

    def collect_logs(self, name: str, into: Path) -> None:
        """Copy whatever tells why a cluster is as it is, half-made ones too, into a folder."""

    def list_leases(self) -> tuple[Lease, ...]:
        """Return the leases of this provider that have not been released."""


@runtime_checkable
class Prepares(Protocol):
    """A provider that has something to build or fetch before a cluster can be created."""

    def prepare(self, spec: ClusterSpec, progress: Progress) -> None:
        """Make everything `create` needs, slowly if need be and visibly; resumable. Raises ClustersError."""


@runtime_checkable
class Hosts(Protocol):
    """A provider that can give nodes conditions; those of any other are as they are."""

    def why_impossible(self, conditions: NodeConditions) -> str | None:
        """Say in a few words why no node here can be like that, e.g. `no AppArmor`, or None when one can."""


@runtime_checkable
class Lines(Protocol):
    """A provider that knows which Kubernetes lines it has; of any other, any line may be asked for."""

    def kubernetes_lines(self) -> tuple[str, ...]:
        """Return the lines there are, oldest first; none when any may be asked for."""


@runtime_checkable
class Borrows(Protocol):
    """A provider of clusters that stand already and are other people's: it makes none and removes none."""

    def kubernetes_line(self, kubeconfig: Path | None, context: str) -> str:
        """Return the Kubernetes line of the cluster there, e.g. `1.35`, as its server says it. Raises ClustersError."""


@runtime_checkable
class Weighs(Protocol):
    """A provider whose clusters run on this machine: as many stand side by side as memory allows."""

    def weight(self) -> int:
        """Return the bytes of memory that a cluster of this provider takes here while builds run in it."""


@runtime_checkable
class Watches(Protocol):
    """A provider that notices when a cluster breaks while it is in use."""

    def why_broken(self, name: str) -> str | None:
        """Say which component died and how, or None while nothing is known to be wrong."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Leftover:
    """A trace of ours that no lease explains: `what` it is, and its `name` where `delete` can remove it."""

    provider: str
    what: str
    name: str | None = None


@runtime_checkable
class FindsLeftovers(Protocol):
    """A provider that can look for its own traces without knowing what was created."""

    def find_leftovers(self) -> tuple[Leftover, ...]:
        """Return the traces that none of the open leases explains."""


@runtime_checkable
class Serves(Protocol):
    """A provider whose clusters people use by hand, on this machine."""

    def state(self, name: str) -> str:
        """Say in a word or two how a cluster is, e.g. `ready`."""

    def environment(self, name: str) -> Mapping[str, str]:
        """Return the variables under which `kubectl` reaches a cluster. Raises ClustersError when there is none."""

    def node_command(self, name: str) -> tuple[str, ...]:
        """Return what to put before a command so that it runs on the cluster's node. Raises ClustersError."""


@runtime_checkable
class Remembers(Protocol):
    """A provider that can say later what a cluster's node was asked to be like."""

    def conditions(self, name: str) -> NodeConditions | None:
        """Return what was asked for, None when that is not known any more."""
