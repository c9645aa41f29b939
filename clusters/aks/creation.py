"""The creation of an AKS cluster, as a list of steps."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from azure.core.exceptions import AzureError
from azure.mgmt.containerservice.models import ManagedCluster
from filelock import FileLock, Timeout

from clusters import holders, ledger, paths, tags, upstream_images
from clusters.aks import access, failures, making, requirements, settings, usable, wanted
from clusters.aks.arm import Arm, connected
from clusters.aks.folder import Folder, Record, folder_of
from clusters.aks.limits import Limits
from clusters.aks.names import PROVIDER, Names, names_of
from clusters.aks.settings import Settings
from clusters.errors import ClusterFailedError, ClustersError, UnavailableError, UsageError
from clusters.provider import Cluster, ClusterSpec, Image, ImageRole, NodeConditions, Progress, Provenance

#: The SDK repeats only what changes nothing by its method; this POST only reads.
_REPEATABLE = frozenset({"GET", "POST"})


def create(spec: ClusterSpec, progress: Progress, limits: Limits) -> Cluster:
    """Stand a cluster up. What was made stays when this raises, for its logs: `delete` takes it away."""
    names, folder = names_of(spec.name), folder_of(spec.name)
    _require(spec)
    images = upstream_images.resolve(upstream_images.require(spec.images), progress)
    chosen = settings.read(os.environ)
    marks = tags.of(spec, now=time.time())
    with connected(chosen, limits) as arm:
        with _step(spec, "claim the name", progress):
            _claim(arm, names, folder, _record(spec, chosen, marks), limits)
        with _step(spec, "make the resource group", progress):
            arm.groups.create_or_update(names.group, {"location": chosen.region, "tags": dict(marks)})
        with _step(spec, "make the cluster", progress):
            made = making.make(arm, names, wanted.body(names, chosen, spec.kubernetes, marks), limits)
        with _step(spec, "get the kubeconfig", progress):
            reached = _get_kubeconfig(arm, names, folder, limits)
    with _step(spec, "wait until it can be used", progress):
        usable.wait(reached, progress, limits)
    with _step(spec, "describe the cluster", progress):
        return _describe(spec, chosen, made, reached, images)


def _require(spec: ClusterSpec) -> None:
    """Raise ClustersError when something is missing or asked for that AKS cannot give."""
    missing = requirements.why_unavailable(spec.images)
    if missing is not None:
        raise UnavailableError(missing)
    if spec.conditions != NodeConditions():
        raise UsageError(
            "AKS gives its nodes no such conditions (its API has no seccompDefault, idsPerPod, seccomp profiles or "
            "emulators): leave --node out, or run these cells on a provider that makes its own nodes"
        )


def _claim(arm: Arm, names: Names, folder: Folder, record: Record, limits: Limits) -> None:
    """Take the lease and the folder, unless somebody has the name. Raises UsageError, UnavailableError, AzureError."""
    taken = arm.group(names.group) or arm.group(names.nodes)
    if taken is not None:
        whose = (taken.tags or {}).get(tags.OWNER, "somebody")
        raise UsageError(
            f"there is a resource group {taken.name} already (of {whose}): use another name, "
            f"or remove it: python -m clusters delete {names.cluster} --provider {PROVIDER}"
        )
    lease = holders.lease_of_this_process(
        provider=PROVIDER, name=names.cluster, run_id=record.run_id, created=time.time()
    )
    lock = FileLock(paths.state_dir() / f"{PROVIDER}.lock", timeout=limits.lock)
    paths.state_dir().mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with lock:
            if folder.path.exists() or ledger.find(PROVIDER, names.cluster) is not None:
                raise UsageError(
                    f"there is a cluster named {names.cluster!r} already: use another name, "
                    f"or remove it: python -m clusters delete {names.cluster} --provider {PROVIDER}"
                )
            ledger.take(lease)
            folder.make(record)
    except Timeout as error:
        raise UnavailableError(
            f"another process has held {lock.lock_file} for {limits.lock:g} s: see which (fuser) and end it"
        ) from error


def _get_kubeconfig(arm: Arm, names: Names, folder: Folder, limits: Limits) -> access.Access:
    """Write the kubeconfig and return the access it gives. Raises AzureError, ClustersError."""
    given = arm.clusters.list_cluster_user_credentials(
        names.group, names.cluster, retry_on_methods=_REPEATABLE
    ).kubeconfigs
    content = bytes(given[0].value) if given and given[0].value else b""
    reached = access.open_access(content, limits.request)
    folder.write_kubeconfig(content)
    return reached


def _describe(
    spec: ClusterSpec,
    chosen: Settings,
    made: ManagedCluster,
    reached: access.Access,
    images: Mapping[ImageRole, Image],
) -> Cluster:
    found = usable.facts(reached)
    properties = made.properties
    patch = properties.current_kubernetes_version if properties is not None else None
    return Cluster(
        name=spec.name,
        provider=PROVIDER,
        run_id=spec.run_id,
        kubeconfig=folder_of(spec.name).kubeconfig,
        kubernetes=spec.kubernetes,
        provenance=Provenance.GENUINE if chosen.is_azure else Provenance.SIMULATED,
        capabilities=usable.capabilities(reached, found["node"]),
        images=images,
        facts={
            "region": chosen.region,
            "machine": chosen.machine,
            "expires": (made.tags or {}).get(tags.EXPIRES, ""),
            **({"aks": patch} if patch else {}),
            **found,
        },
    )


def _record(spec: ClusterSpec, chosen: Settings, marks: Mapping[str, str]) -> Record:
    return Record(
        name=spec.name,
        run_id=spec.run_id,
        kubernetes=spec.kubernetes,
        subscription=chosen.subscription,
        endpoint=chosen.endpoint,
        region=chosen.region,
        machine=chosen.machine,
        tags=dict(marks),
    )


@contextmanager
def _step(spec: ClusterSpec, title: str, progress: Progress) -> Iterator[None]:
    """Tell of a step; what goes wrong in it becomes ClusterFailedError that names it, but for wrong requests."""
    progress(title)
    try:
        yield
    except AzureError as error:
        raise ClusterFailedError(spec.name, title, str(failures.explain(error, title))) from error
    except (UsageError, UnavailableError):
        raise
    except ClustersError as error:
        raise ClusterFailedError(spec.name, title, str(error)) from error
