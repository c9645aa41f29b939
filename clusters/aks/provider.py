"""The AKS provider. The SDK is loaded when a verb needs it: whoever uses other providers need not have it."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from clusters import ledger
from clusters.aks import requirements, settings, signin
from clusters.aks.folder import folder_of
from clusters.aks.limits import LIMITS, Limits
from clusters.aks.names import PROVIDER, names_of
from clusters.aks.settings import Settings
from clusters.errors import ClustersError, UnavailableError, UsageError
from clusters.provider import Cluster, ClusterSpec, Lease, Leftover, Progress


class AksProvider:
    """The verbs. What exists is in Azure and found by its name: any process can delete what another created."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        """Ask nobody yet."""
        self._limits = limits

    def why_unavailable(self) -> str | None:
        """Say what is missing and how to get it, or None; asks nobody over the network."""
        return requirements.why_unavailable()

    def create(self, spec: ClusterSpec, progress: Progress) -> Cluster:
        """Stand a cluster up: node Ready, DNS running. Raises ClustersError.

        What was made stays when it fails, so that logs can be collected: call `delete`.
        """
        _require_sdk()
        from clusters.aks import creation  # noqa: PLC0415 - needs the extra

        return creation.create(spec, progress, self._limits)

    def delete(self, name: str) -> None:
        """Remove everything that bears this name; what is already gone is no error. Raises ClustersError.

        The first call starts it; when the waiting is given up, the deletion goes on in Azure and the lease stays.
        """
        names = names_of(name)
        _require_sdk()
        from clusters.aks import arm, removal  # noqa: PLC0415 - needs the extra

        lease = ledger.find(PROVIDER, name)
        with arm.connected(_settings_of(name), self._limits) as connected:
            removal.remove(connected, names, self._limits, was_begun=lease is not None)
        folder_of(name).remove()
        ledger.release(PROVIDER, name)

    def collect_logs(self, name: str, into: Path) -> None:
        """Write what Azure and the cluster say of it into a folder; keys are left out."""
        names, folder = names_of(name), folder_of(name)
        into.mkdir(parents=True, exist_ok=True)
        if folder.record.is_file():
            shutil.copy2(folder.record, into / folder.record.name)
        try:
            _require_sdk()
            from clusters.aks import arm, evidence  # noqa: PLC0415 - needs the extra

            with arm.connected(_settings_of(name), self._limits) as connected:
                evidence.from_azure(connected, names, into)
            evidence.from_cluster(folder, into, self._limits)
        except ClustersError as error:
            (into / "not-asked.txt").write_text(f"{error}\n")

    def list_leases(self) -> tuple[Lease, ...]:
        """Return the leases of AKS clusters that have not been released."""
        return ledger.leases(PROVIDER)

    def find_leftovers(self) -> tuple[Leftover, ...]:
        """Return the resource groups of ours that no open lease here explains; none where Azure is not set up."""
        if requirements.why_sdk_is_missing() or not os.environ.get(settings.SUBSCRIPTION) or not _can_sign_in():
            return ()
        from clusters.aks import arm, failures, leftovers  # noqa: PLC0415 - needs the extra

        try:
            leased = {lease.name for lease in self.list_leases()}
            with (
                failures.explained("list resource groups"),
                arm.connected(settings.read(os.environ), self._limits) as connected,
            ):
                return leftovers.find(connected, leased, now=time.time())
        except ClustersError as error:
            return (Leftover(provider=PROVIDER, what=f"what may be there, for it could not be asked: {error}"),)

    def state(self, name: str) -> str:
        """Say how a cluster is: `ready`, `creating`, `failed`, `deleting`, `half-made`, `gone` or `unknown`."""
        if requirements.why_sdk_is_missing() or not _can_sign_in():
            return "unknown"
        from clusters.aks import arm, status  # noqa: PLC0415 - needs the extra

        try:
            with arm.connected(_settings_of(name), self._limits) as connected:
                return status.state(connected, names_of(name))
        except ClustersError:
            return "unknown"

    def environment(self, name: str) -> Mapping[str, str]:
        """Return KUBECONFIG. Raises UsageError when this machine has none of that name."""
        kubeconfig = folder_of(names_of(name).cluster).kubeconfig
        if not kubeconfig.is_file():
            raise UsageError(f"there is no AKS cluster named {name!r} here: python -m clusters list shows which are")
        return {"KUBECONFIG": str(kubeconfig)}

    def node_command(self, name: str) -> tuple[str, ...]:
        """Raise UsageError: the node is a machine of Azure's."""
        raise UsageError(
            f"the node of {name!r} is in Azure: `kubectl debug node/NODE -it --image=IMAGE` opens a shell there"
        )


def _require_sdk() -> None:
    missing = requirements.why_sdk_is_missing()
    if missing is not None:
        raise UnavailableError(f"AKS cannot be used: {missing}. {requirements.HELP}")


def _can_sign_in() -> bool:
    return signin.chosen(os.environ) is not None


def _settings_of(name: str) -> Settings:
    """Return where a cluster was made: what its record says goes before what is set now. Raises ClustersError."""
    record = folder_of(name).read()
    if record is None:
        return settings.read(os.environ)
    now = settings.read(os.environ, subscription=record.subscription)
    return now.of_subscription(record.subscription, record.endpoint)
