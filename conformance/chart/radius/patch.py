"""The chart's objects, made into one pod with another builder."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any, Final

from conformance.chart.radius import configuration
from conformance.chart.radius.daemon import say_builder
from conformance.chart.radius.names import APPARMOR_ANNOTATION, CLIENT, DAEMON
from conformance.chart.radius.orders import Orders
from conformance.chart.radius.volumes import prepare_volumes
from conformance.errors import UsageError

Object = dict[str, Any]

#: Idles, and ends at once when asked to.
IDLE: Final = ("/bin/sh", "-c", "trap 'exit 0' TERM INT; sleep 2147483647 & wait")
_INSTANCE: Final = "app.kubernetes.io/instance"


def patch(objects: Sequence[object], orders: Orders) -> list[Object]:
    """Return the dynamic-rp workload with the builder in it, and the ConfigMaps and Secrets that its pod names.

    Nothing else of the chart takes part in a build: left in, it would be a second subject in the cell's namespace, and
    its cluster-wide objects could not be installed by two cells at once. Raises UsageError when there is no such pod.
    """
    every = copy.deepcopy([each for each in objects if isinstance(each, dict)])
    workload = _workload(every)
    template = workload["spec"]["template"]
    kept = [each for each in every if each is not workload and _is_named_by(template["spec"], each)]
    _say_release(template, orders.release)
    _say_pod(template["spec"], orders)
    _let_client_idle(_container(template["spec"], CLIENT))
    daemon = _container(template["spec"], DAEMON)
    say_builder(daemon, orders.builder)
    prepare_volumes(template["spec"], daemon, orders.builder)
    added = configuration.configure(template["spec"], daemon, kept, orders)
    _let_absent_be_absent(template["spec"], [*kept, *added])
    return [*kept, *added, workload]


def _workload(objects: Sequence[Object]) -> Object:
    found = [each for each in objects if {CLIENT, DAEMON} <= set(_container_names(each))]
    if len(found) == 1:
        return found[0]
    seen = ", ".join(
        f"{each.get('kind')}/{(each.get('metadata') or {}).get('name')}: {' '.join(names)}"
        for each in objects
        if (names := list(_container_names(each)))
    )
    raise UsageError(
        f"exactly one rendered workload must have the containers {CLIENT!r} and {DAEMON!r}; found {len(found)} among:"
        f" {seen or 'no workload at all'}. Radius has the sidecar since v0.59.0, by dynamicrp.buildkit.enabled."
    )


def _container_names(each: Object) -> Iterator[str]:
    spec = each.get("spec")
    template = spec.get("template") if isinstance(spec, dict) else None
    inner = template.get("spec") if isinstance(template, dict) else None
    for container in (inner.get("containers") or ()) if isinstance(inner, dict) else ():
        if isinstance(container, dict):
            yield str(container.get("name"))


def _container(spec: Object, name: str) -> Object:
    return next(each for each in spec["containers"] if each.get("name") == name)


def _sources(spec: Object) -> Iterator[tuple[str, str, Object]]:
    """Yield kind, name and the reference itself of each ConfigMap and Secret that a pod names."""
    for volume in spec.get("volumes") or ():
        if source := volume.get("configMap"):
            yield "ConfigMap", str(source.get("name")), source
        if source := volume.get("secret"):
            yield "Secret", str(source.get("secretName")), source
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        for entry in (*(container.get("env") or ()), *(container.get("envFrom") or ())):
            value = {**entry, **(entry.get("valueFrom") or {})}
            for key, kind in (
                ("configMapKeyRef", "ConfigMap"),
                ("secretKeyRef", "Secret"),
                ("configMapRef", "ConfigMap"),
                ("secretRef", "Secret"),
            ):
                if source := value.get(key):
                    yield kind, str(source.get("name")), source


def _is_named_by(spec: Object, each: Object) -> bool:
    name = (each.get("metadata") or {}).get("name")
    return any(each.get("kind") == kind and name == wanted for kind, wanted, _ in _sources(spec))


def _let_absent_be_absent(spec: Object, there: Sequence[Object]) -> None:
    """Let the pod start without what Radius makes elsewhere (its encryption key, its database's password)."""
    known = {(each.get("kind"), (each.get("metadata") or {}).get("name")) for each in there}
    for kind, name, source in _sources(spec):
        if (kind, name) not in known:
            source["optional"] = True


def _say_release(template: Object, release: str) -> None:
    metadata = template.setdefault("metadata", {})
    # By this label the harness finds the pod; the workload's selector is left alone.
    metadata["labels"] = {**(metadata.get("labels") or {}), _INSTANCE: release}
    (metadata.get("annotations") or {}).pop(APPARMOR_ANNOTATION, None)


def _say_pod(spec: Object, orders: Orders) -> None:
    builder = orders.builder
    # The chart's own ServiceAccount comes with rights in the whole cluster, and nothing here speaks to the API.
    for name in ("serviceAccountName", "serviceAccount"):
        spec.pop(name, None)
    spec["automountServiceAccountToken"] = False
    # Nothing here is worth waiting for.
    spec["terminationGracePeriodSeconds"] = 1
    for name, value in (("securityContext", builder.pod_security_context or None), ("hostUsers", builder.host_users)):
        spec.pop(name, None)
        if value is not None:
            spec[name] = copy.deepcopy(value)


def _let_client_idle(client: Object) -> None:
    """Let the harness' client stand in for dynamic-rp, which cannot run without the rest of Radius.

    Its securityContext, mounts and environment stay: BUILDKIT_HOST, and the `buildctl` that was handed over.
    """
    for name in ("args", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle"):
        client.pop(name, None)
    client["command"] = list(IDLE)
