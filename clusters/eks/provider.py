"""The provider eks: the verbs. It can be imported without boto3, which comes with the extra `eks`."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from clusters import ledger
from clusters.eks.names import PROVIDER, Names, names_of
from clusters.eks.pace import PACE, Pace
from clusters.errors import ClustersError, UnavailableError, UsageError
from clusters.provider import Cluster, ClusterSpec, Lease, Leftover, Progress

if TYPE_CHECKING:
    from clusters.eks.aws import Aws

NOT_INSTALLED: Final = (
    "eks needs boto3, which is not installed: `uv sync --extra eks` in a checkout, or "
    "`pip install 'build-conformance[eks]'`."
)


class EksProvider:
    """The verbs. All state is in AWS and in a folder here: any process can delete what another created."""

    def __init__(self, pace: Pace = PACE) -> None:
        """Wait and look as `pace` says."""
        self._pace = pace

    def why_unavailable(self) -> str | None:
        """Say what is missing and how to get it, or None; asks AWS one short question and changes nothing."""
        try:
            aws = _connect(None)
            aws.account(briefly=True)
        except ClustersError as error:
            return str(error)
        return None

    def create(self, spec: ClusterSpec, progress: Progress) -> Cluster:
        """Stand a cluster up: nodes Ready, DNS running. Costs money from its first minute. Raises ClustersError.

        What was made stays when it fails, so that logs can be collected: call `delete`.
        """
        _require_boto()
        from clusters.eks import creation  # noqa: PLC0415 - needs boto3

        return creation.create(spec, progress, self._pace)

    def delete(self, name: str) -> None:
        """Remove everything that bears this name; what is already gone is no error. Raises ClustersError."""
        names = names_of(name)
        aws = _connect(names)
        from clusters.eks import record, removal  # noqa: PLC0415 - needs boto3

        record.check_account(record.read(names), aws)
        is_leased = names.folder.exists() or ledger.find(PROVIDER, name) is not None
        removal.remove(aws, names, self._pace, is_leased=is_leased)
        shutil.rmtree(names.folder, ignore_errors=True)
        ledger.release(PROVIDER, name)

    def collect_logs(self, name: str, into: Path) -> None:
        """Write what AWS and the cluster's API tell of it into a folder, half-made ones too. Raises ClustersError."""
        names = names_of(name)
        aws = _connect(names)
        from clusters.eks import evidence  # noqa: PLC0415 - needs boto3

        evidence.collect(aws, names, into, self._pace)

    def list_leases(self) -> tuple[Lease, ...]:
        """Return the leases of EKS clusters that have not been released."""
        return ledger.leases(PROVIDER)

    def find_leftovers(self) -> tuple[Leftover, ...]:
        """Return what the configured region has of ours that no lease explains; nothing without an account."""
        try:
            aws = _connect(None)
        except UnavailableError:
            return ()
        from clusters.eks import leftovers  # noqa: PLC0415 - needs boto3

        return leftovers.find(aws, {lease.name for lease in self.list_leases()}, now=time.time())

    def why_broken(self, name: str) -> str | None:
        """Say what EKS finds wrong with control plane or nodes, or None while nothing is known to be wrong."""
        names = names_of(name)
        try:
            aws = _connect(names)
            from clusters.eks import watch  # noqa: PLC0415 - needs boto3

            return watch.why_broken(aws, names)
        except ClustersError:
            # Not being able to ask is no sign that the cluster broke.
            return None

    def state(self, name: str) -> str:
        """Say how a cluster is: `half-made`, `gone`, `unknown`, or in EKS' words: `active`, `creating`, `deleting`."""
        names = names_of(name)
        try:
            aws = _connect(names)
            from clusters.eks import watch  # noqa: PLC0415 - needs boto3

            return watch.state(aws, names)
        except ClustersError:
            return "unknown"

    def environment(self, name: str) -> Mapping[str, str]:
        """Return KUBECONFIG. Raises UsageError when there is none."""
        names = names_of(name)
        if not names.kubeconfig.is_file():
            raise UsageError(f"there is no kubeconfig of an EKS cluster named {name!r} here: python -m clusters list")
        return {"KUBECONFIG": str(names.kubeconfig)}

    def node_command(self, name: str) -> tuple[str, ...]:
        """Raise UsageError: the node is a machine in AWS."""
        raise UsageError(f"the node of {name!r} is a machine in AWS: use `kubectl debug node/... -it --image=busybox`")


def _require_boto() -> None:
    if importlib.util.find_spec("boto3") is None:
        raise UnavailableError(NOT_INSTALLED)


def _connect(names: Names | None) -> Aws:
    """Reach AWS where a cluster was made, or where the configuration says. Raises UnavailableError."""
    _require_boto()
    from clusters.eks import aws, record  # noqa: PLC0415 - needs boto3

    return aws.connect(record.place(record.read(names) if names is not None else None))
