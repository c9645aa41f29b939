"""What the builder's processes really run under: read from inside, or from a twin where it is dead."""

from __future__ import annotations

from conformance.errors import ApiError, WaitError
from conformance.kube import Json
from conformance.model import BuilderFacts, FactsOrigin
from conformance.observe import proc, reader
from conformance.stages.context import CellRun, StageFailedError, container_status

_TWIN = "facts-twin"


def builder_facts(cell_run: CellRun, admitted: Json) -> BuilderFacts:
    """Return what could be read; facts that could not be read are None and `origin` says so."""
    if not admitted:
        return BuilderFacts()
    try:
        if "running" in container_status(cell_run.pod(), cell_run.builder_container).get("state", {}):
            return _with_worker(cell_run, _from_inside(cell_run))
        return _from_twin(cell_run, admitted)
    except (ApiError, WaitError, StageFailedError):
        # The last is a pod that somebody deleted meanwhile.
        return BuilderFacts()


def _from_inside(cell_run: CellRun) -> BuilderFacts:
    pod = str(cell_run.pod()["metadata"]["name"])
    argv = ["sh", "-c", proc.script("1")]
    ran = cell_run.kube.execute(
        cell_run.namespace, pod, cell_run.builder_container, argv, within=cell_run.timeouts.command
    )
    return proc.facts(ran.output, FactsOrigin.BUILDER)


def _from_twin(cell_run: CellRun, admitted: Json) -> BuilderFacts:
    namespace = cell_run.namespace
    cell_run.kube.create_pod(namespace, twin(admitted, cell_run.builder_container))
    log = reader.output(cell_run.kube, namespace, _TWIN, cell_run.builder_container, within=cell_run.timeouts.facts)
    return proc.facts(log, FactsOrigin.TWIN)


def twin(admitted: Json, container_name: str) -> Json:
    """Return a pod with the builder's own security settings and image whose only act is to read /proc."""
    spec = admitted["spec"]
    container = next(each for each in spec["containers"] if each["name"] == container_name)
    kept = {key: container[key] for key in ("name", "image", "imagePullPolicy", "securityContext") if key in container}
    pod_fields = ("securityContext", "hostUsers", "runtimeClassName", "nodeSelector", "tolerations", "affinity")
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": _TWIN, "labels": {"app.kubernetes.io/name": _TWIN}},
        "spec": {
            **{key: spec[key] for key in pod_fields if key in spec},
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": 0,
            "containers": [{**kept, "command": ["sh", "-c", f"{proc.script('self')}\n{proc.END}"]}],
        },
    }


def _with_worker(cell_run: CellRun, seen: BuilderFacts) -> BuilderFacts:
    """Add the worker's labels, snapshotter and platforms as `buildctl debug workers` lists them."""
    describe = cell_run.driver.describe()
    if not describe:
        return seen
    ran = cell_run.in_client(describe, within=cell_run.timeouts.command)
    if not ran.ok:
        return seen
    labels, platforms = _worker(ran.output)
    snapshotter = labels.get("org.mobyproject.buildkit.worker.snapshotter")
    return seen.model_copy(update={"worker_labels": labels, "platforms": platforms, "snapshotter": snapshotter})


def _worker(output: str) -> tuple[dict[str, str], tuple[str, ...]]:
    labels: dict[str, str] = {}
    platforms: tuple[str, ...] = ()
    for line in output.splitlines():
        key, separator, value = line.strip().partition(":")
        if separator and key.startswith("org.mobyproject.buildkit.worker."):
            labels[key] = value.strip()
        elif separator and key == "Platforms":
            platforms = tuple(part.strip() for part in value.split(",") if part.strip())
    return labels, platforms
