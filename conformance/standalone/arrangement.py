"""What a standalone daemon needs in the cluster beside its release, and what is known of the way to it."""

from __future__ import annotations

import datetime as dt

from clusters.provider import Capability
from conformance import bounds, namespace
from conformance.chart.images import reference
from conformance.kube import Json
from conformance.model import ConnectionFacts, TlsFacts
from conformance.stages.context import CellRun
from conformance.standalone import client, policies
from conformance.standalone.certificates import material
from conformance.standalone.inspection import inspect
from conformance.standalone.names import PORT, SERVER_SECRET, server_name


def before_install(cell_run: CellRun, *, run_id: str) -> TlsFacts:
    """Make the certificates and the client's namespace, and start the client. Raises ApiError, WaitError, UsageError.

    Returns what the certificates are like; their keys are in the cluster's Secrets and nowhere else.
    """
    cell, kube, place = cell_run.cell, cell_run.kube, cell_run.client_namespace
    said = cell.builder.standalone
    now = dt.datetime.now(dt.UTC)
    name = server_name(cell_run.namespace)
    files = material(said.tls, name, now)
    if files.daemon:
        kube.create_secret(cell_run.namespace, client.secret(SERVER_SECRET, files.daemon))
    body = client.namespace(place, said.client_namespace, run_id=run_id, cell_id=cell.id)
    namespace.create(kube, body, bounded=bounds.are_due(cell_run.cluster))
    if files.client:
        kube.create_secret(place, client.client_secret(files.client))
    image = reference(cell_run.cluster.images, cell.builder.client_image)
    kube.create_pod(place, client.pod(image, with_files=bool(files.client)))
    return inspect(files, name, now)


def after_install(cell_run: CellRun, tls: TlsFacts, pod: Json) -> ConnectionFacts:
    """Return what is known of the way to the daemon of a rendered pod, its policies as the server has them."""
    found = cell_run.kube.fetch(f"/apis/networking.k8s.io/v1/namespaces/{cell_run.namespace}/networkpolicies") or {}
    place = cell_run.kube.fetch(f"/api/v1/namespaces/{cell_run.client_namespace}") or {}
    visit = policies.Visit(
        daemon=pod["metadata"].get("labels") or {},
        port=PORT,
        client=client.LABELS,
        client_namespace=place.get("metadata", {}).get("labels") or {},
    )
    enforced = Capability.NETWORK_POLICY in cell_run.cluster.capabilities
    return ConnectionFacts(tls=tls, policy=policies.judge(found.get("items") or [], visit, enforced=enforced))
