"""The provider existing: `create` only looks whether a cluster can be used, `delete` removes a run's namespaces."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path

from clusters import holders, ledger, upstream_images
from clusters.errors import ClustersError, UsageError
from clusters.existing import kubeconfigs, names, record
from clusters.existing.kubeconfigs import Place
from clusters.existing.names import PROVIDER
from clusters.existing.record import Record
from clusters.provider import Capability, Cluster, ClusterSpec, Lease, Leftover, NodeConditions, Progress, Provenance


class ExistingProvider:
    """The verbs. What a run made is found by its label: any process can delete what another created."""

    def why_unavailable(self) -> str | None:
        """Say why the user's own kubeconfig cannot be used, or None; asks nobody over the network."""
        try:
            kubeconfigs.resolve(None, "")
        except ClustersError as error:
            return str(error)
        return None

    def kubernetes_line(self, kubeconfig: Path | None, context: str) -> str:
        """Return the Kubernetes line of the cluster there, e.g. `1.35`. Raises ClustersError."""
        from clusters.existing import facts, server  # noqa: PLC0415 - the client takes long to import

        with server.Server(kubeconfigs.resolve(kubeconfig, context)) as reached:
            return facts.line_of(facts.version(reached))

    def create(self, spec: ClusterSpec, progress: Progress) -> Cluster:
        """Look whether the cluster can be used, note that it is, and return what it says of itself.

        Changes nothing there. Raises UsageError when something else than is there was asked for, UnavailableError when
        the server does not answer, rights are missing or another run is there.
        """
        names.check(spec.name)
        if spec.conditions != NodeConditions():
            raise UsageError(
                f"the nodes of a cluster that stands are as they are ({spec.conditions.describe()} was asked for): "
                "leave --node out, or use a provider that makes its own nodes"
            )
        place = kubeconfigs.resolve(spec.kubeconfig, spec.context)
        progress(f"look at the cluster of context {place.context}")
        entries = upstream_images.require(spec.images)
        found, capabilities = _look(spec, place)
        images = upstream_images.resolve(entries, progress)
        _note(spec, place)
        return Cluster(
            name=spec.name,
            provider=PROVIDER,
            run_id=spec.run_id,
            kubeconfig=place.kubeconfig,
            context=place.context,
            kubernetes=spec.kubernetes,
            provenance=Provenance.GENUINE,
            capabilities=capabilities,
            images=images,
            facts=found,
        )

    def delete(self, name: str) -> None:
        """Remove every namespace that carries the run's label, and nothing else. Raises ClustersError."""
        names.check(name)
        known = record.read(name)
        if known is not None:
            from clusters.existing import namespaces, server  # noqa: PLC0415 - the client takes long to import

            with server.Server(_still(known)) as reached:
                namespaces.remove(reached, known.run_id)
        record.forget(name)
        ledger.release(PROVIDER, name)

    def collect_logs(self, name: str, into: Path) -> None:
        """Write what the cluster says of the run's namespaces into a folder; what cannot be asked is said there."""
        into.mkdir(parents=True, exist_ok=True)
        known = record.read(name)
        if known is None:
            (into / "not-asked.txt").write_text("nothing was made there: the cluster was refused before\n")
            return
        from clusters.existing import namespaces, server  # noqa: PLC0415 - the client takes long to import

        try:
            with server.Server(_still(known)) as reached:
                found = namespaces.of_run(reached, known.run_id)
                _write(into / "namespaces.json", found)
                for namespace in (each["metadata"]["name"] for each in found):
                    for what in ("pods", "events"):
                        _write(
                            into / f"{namespace}-{what}.json", reached.items(f"/api/v1/namespaces/{namespace}/{what}")
                        )
        except ClustersError as error:
            (into / "not-asked.txt").write_text(f"{error}\n")

    def list_leases(self) -> tuple[Lease, ...]:
        """Return the leases of uses that have not been released."""
        return ledger.leases(PROVIDER)

    def find_leftovers(self) -> tuple[Leftover, ...]:
        """Return the uses that are noted here and have no lease."""
        leased = {lease.name for lease in self.list_leases()}
        return tuple(
            Leftover(provider=PROVIDER, what=f"the note of a use of a cluster, {name}", name=name)
            for name in record.names()
            if name not in leased
        )

    def state(self, name: str) -> str:
        """Say `in use` or `gone`; the cluster is not asked."""
        return "in use" if record.read(name) is not None else "gone"

    def environment(self, name: str) -> Mapping[str, str]:
        """Return KUBECONFIG; the context has to be named beside it. Raises UsageError when there is no such use."""
        known = record.read(name)
        if known is None:
            raise UsageError(f"no run uses a cluster as {name!r}: python -m clusters list shows which do")
        return {"KUBECONFIG": str(known.kubeconfig)}

    def node_command(self, name: str) -> tuple[str, ...]:
        """Raise UsageError: its nodes are other people's machines."""
        raise UsageError(f"the nodes of {name!r} are not ours: `kubectl debug node/...` is for those who may")


def _look(spec: ClusterSpec, place: Place) -> tuple[dict[str, str], frozenset[Capability]]:
    from clusters.existing import facts, namespaces, rights, server  # noqa: PLC0415 - the client takes long to import

    with server.Server(place) as reached:
        line = facts.line_of(facts.version(reached))
        if line != spec.kubernetes:
            raise UsageError(
                f"the cluster of context {place.context!r} runs Kubernetes {line}, not {spec.kubernetes}: ask for "
                f"{line}, or name another cluster"
            )
        rights.require(reached, place)
        namespaces.require_free(reached)
        return facts.of(reached), facts.capabilities(reached)


def _note(spec: ClusterSpec, place: Place) -> None:
    """Write down where the run's namespaces will be, before there is one. Raises UsageError for a name in use."""
    known = Record(name=spec.name, run_id=spec.run_id, kubeconfig=place.kubeconfig, context=place.context)
    try:
        record.write(known)
    except FileExistsError as error:
        raise UsageError(
            f"a cluster is in use as {spec.name!r} already: use another name, or "
            f"python -m clusters delete {spec.name} --provider {PROVIDER}"
        ) from error
    ledger.take(
        holders.lease_of_this_process(provider=PROVIDER, name=spec.name, run_id=spec.run_id, created=time.time())
    )


def _still(known: Record) -> Place:
    """Return where a use was, if its kubeconfig still names it. Raises ClustersError: nothing may be forgotten then."""
    try:
        return kubeconfigs.resolve(known.kubeconfig, known.context)
    except ClustersError as error:
        raise ClustersError(
            f"namespaces with the label of run {known.run_id} may be left on the cluster of context "
            f"{known.context!r}, which cannot be reached any more: {error}"
        ) from error


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n")
