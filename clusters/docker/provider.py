"""What the providers `kind` and `k3d` have in common: everything but how their tool is spoken to."""

from __future__ import annotations

import os
import shutil
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import ClassVar, Final

from clusters import holders, ledger
from clusters.docker import engines, evidence, node_images, orphans, own, own_layout, places, records, removal, tools
from clusters.docker.builder_images import prepare as prepare_images
from clusters.docker.creation import create
from clusters.docker.engines import Engine
from clusters.docker.node_images import NodeImage
from clusters.docker.places import Place, place_of
from clusters.docker.work import Nodes, Work
from clusters.embedded import host
from clusters.errors import ClustersError, UnavailableError, UsageError
from clusters.provider import Cluster, ClusterSpec, Lease, Leftover, NodeConditions, Progress

#: Bytes that a node takes while builds run in it.
_WEIGHT: Final = 3 * 1024**3


class ContainerProvider(ABC):
    """The verbs. All state is on disk and on the engine: any process can delete what another created."""

    #: The provider's name, which is the tool's.
    name: ClassVar[str]
    #: The oldest version of the tool that suits, of what is on PATH.
    oldest: ClassVar[str]
    #: The label that the tool gives to what it makes; its value is the cluster's name.
    label: ClassVar[str]
    #: The filter of containers that are nodes, and of the one to ask.
    node_label: ClassVar[str]
    server_label: ClassVar[str]
    #: `kubectl` inside a node.
    kubectl: ClassVar[tuple[str, ...]]
    #: Where a node's containerd is told of registries, and how it is asked for its configuration.
    certs: ClassVar[str]
    containerd: ClassVar[tuple[str, ...]]
    #: The DaemonSet of the tool's own network, which enforces policies.
    enforcer: ClassVar[str] = ""

    @abstractmethod
    def make(self, work: Work, program: tools.Program, image: NodeImage) -> None:
        """Have the tool create the cluster and write its kubeconfig. Raises CommandError."""

    @abstractmethod
    def load(self, work: Work, program: tools.Program, archive: Path) -> None:
        """Have the tool put an archive's images on every node. Raises CommandError."""

    @abstractmethod
    def networks(self, place: Place) -> tuple[str, ...]:
        """Return the names of the networks that are a cluster's alone."""

    @abstractmethod
    def strays(self, engine: Engine, known: Collection[str]) -> tuple[str, ...]:
        """Name what bears our marks on an engine, and none of these digests."""

    def program(self) -> str:
        """Return the program of the engine that the tool uses."""
        return engines.wanted_program(chosen_by_kind=False)

    def why_unavailable(self) -> str | None:
        """Say what is missing on this machine and how to get it, or None; within two seconds."""
        missing = engines.why_unusable(self.program())
        if missing is None:
            return None
        impossible = own.why_impossible()
        if impossible is None:
            return None
        return (
            f"the {self.name} provider needs a container engine, and {missing}: start Docker or install it "
            "(https://docs.docker.com/engine/install/), see that your user may use it (`docker info`), then run this "
            f"again. An engine of our own cannot be started here either: {impossible}"
        )

    def why_impossible(self, conditions: NodeConditions) -> str | None:
        """Say in a few words why no node here can be like that, or None when one can."""
        if conditions.apparmor and not host.has_apparmor():
            return "no AppArmor"
        return f"{self.name} installs no emulators" if conditions.emulators else None

    def weight(self) -> int:
        """Return the bytes of memory that a cluster takes while builds run in it."""
        return _WEIGHT

    def kubernetes_lines(self) -> tuple[str, ...]:
        """Return the Kubernetes lines that are known to work; an image that is named may have another."""
        return () if os.environ.get(node_images.variable(self.name)) else node_images.lines(self.name)

    def prepare(self, spec: ClusterSpec, progress: Progress) -> None:
        """Get the tool, an engine's programs, node and builder images; resumable. Raises ClustersError."""
        place_of(self.name, spec.name)
        self._require()
        has_registry = self._has_engine()
        if not has_registry:
            own.prepare(progress)
        tools.obtain(self.name, self.oldest, progress)
        node_images.choose(self.name, spec.kubernetes, has_registry=has_registry, progress=progress)
        prepare_images(spec, has_registry=has_registry, progress=progress)

    def create(self, spec: ClusterSpec, progress: Progress) -> Cluster:
        """Stand a cluster up: nodes Ready, images present, DNS answering. Raises ClustersError.

        What was made stays when it fails, so that logs can be collected: call `delete`.
        """
        place = place_of(self.name, spec.name)
        self._require()
        if (why := self.why_impossible(spec.conditions)) is not None:
            raise UnavailableError(f"a node of {spec.name} cannot be as it is asked for: {why}")
        has_registry = self._has_engine()
        if not has_registry:
            own.prepare(progress)
        program = tools.obtain(self.name, self.oldest, progress)
        image = node_images.choose(self.name, spec.kubernetes, has_registry=has_registry, progress=progress)
        images = prepare_images(spec, has_registry=has_registry, progress=progress)
        self._claim(place, spec, uses_own_engine=not has_registry)
        engine = Engine(program=self.program()) if has_registry else own.acquire(place.mark, progress)
        work = Work(place=place, spec=spec, engine=engine, progress=progress)
        return create(self, work, program=program, image=image, images=images)

    def delete(self, name: str) -> None:
        """Remove everything that bears this name; what is already gone is no error. Raises ClustersError."""
        place = place_of(self.name, name)
        orphans.end(place)
        record = records.read(place)
        engine = self._engine(place)
        if engine is not None:
            removal.remove(engine, f"{self.label}={place.short}", self.networks(place))
            for reference in record.loaded if record is not None else ():
                # Another cluster's containers may still need it: then the engine refuses, and that one removes it.
                engine.run("image", "rm", reference, check=False)
        elif record is not None and not record.uses_own_engine:
            raise ClustersError(
                f"{record.program} does not answer, so what it may still have of cluster {name} cannot be removed: "
                f"start it, then python -m clusters delete --provider {self.name} {name}"
            )
        if place.root.exists():
            shutil.rmtree(place.root)
        own.release(place.mark)
        ledger.release(self.name, name)

    def collect_logs(self, name: str, into: Path) -> None:
        """Copy what the tool said, and what the engine knows and logged of each container, into a folder."""
        place = place_of(self.name, name)
        engine = self._engine(place)
        found = self._containers(engine, place) if engine is not None else ()
        evidence.collect(
            place, into, engine, found, own_layout.own().log if records.uses_own_engine(place) else Path("/none")
        )

    def list_leases(self) -> tuple[Lease, ...]:
        """Return the leases of this provider that have not been released."""
        return ledger.leases(self.name)

    def why_broken(self, name: str) -> str | None:
        """Say which container ended and how, or None while nothing is known to be wrong."""
        place = place_of(self.name, name)
        engine = self._engine(place)
        if engine is None:
            return "its container engine does not answer any more"
        found = self._containers(engine, place)
        if not found:
            return "its containers are gone: something removed them"
        form = "{{.Name}} {{.State.Running}} ended with {{.State.ExitCode}}, out of memory: {{.State.OOMKilled}}"
        said = engine.run("inspect", "--format", form, *found, check=False).stdout
        return next((line.lstrip("/") for line in said.splitlines() if line.split()[1:2] == ["false"]), None)

    def find_leftovers(self) -> tuple[Leftover, ...]:
        """Return the traces that none of the open leases of this state folder explains."""
        leased = {lease.name for lease in self.list_leases()}
        there = places.existing(self.name)
        folders = [
            Leftover(provider=self.name, name=each.name, what=f"folder {each.root}")
            for each in there
            if each.name not in leased
        ]
        if not self._has_engine():
            return tuple(folders)
        known = {each.digest for each in (*there, *(place_of(self.name, name) for name in leased))}
        strays = self.strays(Engine(program=self.program()), known)
        return (
            *folders,
            *(Leftover(provider=self.name, what=f"{each}, of another state folder or lost") for each in strays),
        )

    def state(self, name: str) -> str:
        """Say how a cluster is: `ready`, `starting`, `broken`, `half-made` or `gone`."""
        place = place_of(self.name, name)
        record = records.read(place)
        if record is None:
            return "half-made" if place.root.exists() else "gone"
        if not record.facts:
            return "starting" if orphans.find(place) else "half-made"
        return "ready" if self.why_broken(name) is None else "broken"

    def conditions(self, name: str) -> NodeConditions | None:
        """Return what a cluster's nodes were asked to be like, or None when that is not known."""
        record = records.read(place_of(self.name, name))
        return record.conditions if record is not None else None

    def environment(self, name: str) -> Mapping[str, str]:
        """Return KUBECONFIG and what the engine's clients need. Raises UsageError."""
        place = self._existing(name)
        engine = self._engine(place)
        return {**(engine.environment if engine is not None else {}), "KUBECONFIG": str(place.kubeconfig)}

    def node_command(self, name: str) -> tuple[str, ...]:
        """Return the command that enters a cluster's first node. Raises UsageError."""
        place = self._existing(name)
        engine = self._engine(place)
        nodes = self.nodes(engine, place) if engine is not None else None
        if engine is None or nodes is None:
            raise UsageError(f"cluster {name!r} does not run: there is no node to enter")
        terminal = ("--interactive", "--tty") if sys.stdin.isatty() else ("--interactive",)
        return (engine.program, "exec", *terminal, nodes.server)

    def nodes(self, engine: Engine, place: Place) -> Nodes | None:
        """Return a cluster's nodes, None when there is none to ask."""
        ours = ("ps", "--filter", f"label={self.label}={place.short}", "--format", "{{.Names}}")
        every = engine.lines(*ours, "--filter", f"label={self.node_label}") if self.node_label else engine.lines(*ours)
        servers = engine.lines(*ours, "--filter", f"label={self.server_label}")
        return Nodes(every=every, server=servers[-1]) if servers else None

    def _require(self) -> None:
        if (reason := self.why_unavailable()) is not None:
            raise UnavailableError(reason)

    def _has_engine(self) -> bool:
        return engines.why_unusable(self.program()) is None

    def _claim(self, place: Place, spec: ClusterSpec, *, uses_own_engine: bool) -> None:
        lease = holders.lease_of_this_process(
            provider=self.name, name=spec.name, run_id=spec.run_id, created=time.time()
        )
        with own.locked():
            if place.root.exists() or ledger.find(self.name, spec.name) is not None:
                raise UsageError(
                    f"there is a {self.name} cluster named {spec.name!r} already: use another name, "
                    f"or remove it: python -m clusters delete --provider {self.name} {spec.name}"
                )
            ledger.take(lease)
            records.claim(place, spec, program=self.program(), uses_own_engine=uses_own_engine)

    def _engine(self, place: Place) -> Engine | None:
        """Return the engine that has, or could have, a cluster of that name; None when it does not answer."""
        record = records.read(place)
        if record is not None and record.uses_own_engine:
            return own.running()
        program = record.program if record is not None else self.program()
        return Engine(program=program) if engines.why_unusable(program) is None else None

    def _containers(self, engine: Engine, place: Place) -> tuple[str, ...]:
        return removal.find(engine, f"{self.label}={place.short}", ()).containers

    def _existing(self, name: str) -> Place:
        place = place_of(self.name, name)
        if not place.root.is_dir():
            raise UsageError(
                f"there is no {self.name} cluster named {name!r}: python -m clusters list shows which there are"
            )
        return place
