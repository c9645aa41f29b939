"""Gate 6: the daemon's pods go to the nodes that are meant for them, and find one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from conformance.doctor.gate import Gate
from conformance.doctor.installation import Installation, Pool
from conformance.doctor.placement import pins, untolerated, wants
from conformance.doctor.pods import best, is_over, states, why_unscheduled
from conformance.doctor.records import Answer, failed, passed, unproven
from conformance.kube import Json
from conformance.model import SourceKind

_PLACEMENT: Final = "scheduling-taint-or-selector"
_NO_POOL: Final = "no pool was named, so that any node will do: name its label with --pool LABEL=VALUE"
_Specs = list[tuple[str, Json]]


def run(installation: Installation) -> Answer:
    """Compare what the pods ask for with the nodes there are, and read why pods wait."""
    selector = installation.selector()
    if not selector:
        return unproven(f"{installation.title} selects no pods, so there are none to look at")
    pods = [pod for pod in installation.pods(selector) if not is_over(pod)]
    nodes = installation.reader.listed_if_allowed("/api/v1/nodes")
    if pending := [pod for pod in pods if why_unscheduled(pod) is not None]:
        return _pending(pending, nodes, installation.pool)
    made = [(each.title, each.pod_spec) for each in installation.workloads(selector)]
    specs = made or [(f"Pod/{pod['metadata']['name']}", pod["spec"]) for pod in pods]
    if installation.pool is None:
        return _anywhere(specs, nodes)
    return _pinned(installation.pool, specs, nodes, pods)


def _pending(pods: list[Json], nodes: list[Json], pool: Pool | None) -> Answer:
    finding = best((why_unscheduled(pod) or "", SourceKind.EVENT) for pod in pods)
    names = ", ".join(f"Pod/{pod['metadata']['name']}" for pod in pods)
    asked = [f"Pod/{pod['metadata']['name']} asks for {_ask(pod['spec'])}" for pod in pods]
    lines = [line for pod in pods for line in states(pod) if "PodScheduled" in line]
    in_pool = [f"nodes with {pool}: {_names(_members(pool, nodes)) or 'none'}"] if pool and nodes else []
    return failed(
        f"no node takes {names}",
        failure_class=finding.class_,
        candidates=finding.candidates,
        remedy=""
        if finding.class_
        else "Read the scheduler's words, then the nodes' labels, taints and free resources.",
        evidence=(*lines, *asked, *in_pool),
    )


def _anywhere(specs: _Specs, nodes: list[Json]) -> Answer:
    """Judge without a pool: a pod that has to move must find a node again."""
    for title, spec in specs if nodes else []:
        if not any(wants(spec, node) and not untolerated(spec, node) for node in nodes):
            return failed(
                f"no node would take a new pod of {title}: it asks for {_ask(spec)}", failure_class=_PLACEMENT
            )
    return passed("no pod waits for a node", notes=(_NO_POOL,))


def _pinned(pool: Pool, specs: _Specs, nodes: list[Json], pods: list[Json]) -> Answer:
    members = _members(pool, nodes)
    if nodes and not members:
        return failed(
            f"no node has the label {pool}",
            failure_class=_PLACEMENT,
            remedy="Create the pool, scale it up from 0, or correct the label: of the nodes or after --pool.",
            evidence=(f"nodes: {_names(nodes)}",),
        )
    for title, spec in specs:
        if (wrong := _strays(title, spec, pool, nodes)) or (wrong := _kept_out(title, spec, pool, members)):
            return wrong
    outside = _outside(pods, members) if nodes else []
    if outside:
        return failed(
            f"outside the pool {pool}: {', '.join(outside)}",
            remedy="They were scheduled before they were pinned, or the node's label changed: restart them.",
        )
    usable = [node for node in members if _is_usable(node)]
    if nodes and not usable:
        return failed(
            f"no node of the pool {pool} is Ready and open for pods: {_names(members)}",
            remedy="Uncordon one, or repair its kubelet.",
        )
    return passed(f"pinned to {pool}: {len(usable)} of {len(members)} nodes usable", notes=_open_to_others(members))


def _strays(title: str, spec: Json, pool: Pool, nodes: Sequence[Json]) -> Answer | None:
    """Say so where nothing keeps the pods inside the pool."""
    if pins(spec, pool):
        return None
    members, fitting = _members(pool, nodes), [node for node in nodes if wants(spec, node)]
    # Another label may do the same, as long as it chooses among the nodes there are.
    if fitting and all(node in members for node in fitting) and len(fitting) < len(nodes):
        return None
    return failed(
        f"{title} is not pinned to {pool}: it asks for {_ask(spec)}",
        remedy=f"nodeSelector {pool.label}: {pool.value} (or required node affinity), and tolerations for its taints.",
        evidence=(f"nodes that would do: {_names(fitting) or 'none'}",) if nodes else (),
    )


def _kept_out(title: str, spec: Json, pool: Pool, members: list[Json]) -> Answer | None:
    keeping = {node["metadata"]["name"]: untolerated(spec, node) for node in members}
    if not members or not all(keeping.values()):
        return None
    return failed(
        f"{title} does not tolerate the taints of the pool {pool}",
        failure_class=_PLACEMENT,
        remedy="Add tolerations for them to the pod template.",
        evidence=tuple(f"Node/{name}: {', '.join(taints)}" for name, taints in keeping.items()),
    )


def _outside(pods: list[Json], members: list[Json]) -> list[str]:
    inside = {node["metadata"]["name"] for node in members}
    return [
        f"Pod/{pod['metadata']['name']} on {pod['spec']['nodeName']}"
        for pod in pods
        if pod["spec"]["nodeName"] not in inside
    ]


def _open_to_others(members: list[Json]) -> tuple[str, ...]:
    bare = [node for node in members if not untolerated({}, node)]
    return (f"other pods may run there too, for want of a taint: {_names(bare)}",) if bare else ()


def _is_usable(node: Json) -> bool:
    conditions = (node.get("status") or {}).get("conditions") or []
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    return ready and not (node.get("spec") or {}).get("unschedulable")


def _members(pool: Pool, nodes: Sequence[Json]) -> list[Json]:
    return [node for node in nodes if (node["metadata"].get("labels") or {}).get(pool.label) == pool.value]


def _names(nodes: Sequence[Json]) -> str:
    return ", ".join(sorted(node["metadata"]["name"] for node in nodes))


def _ask(spec: Json) -> str:
    labels = [f"{key}={value}" for key, value in sorted((spec.get("nodeSelector") or {}).items())]
    required = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    )
    return ", ".join([*labels, *(["required node affinity"] if required else [])]) or "any node"


GATE: Final = Gate(
    name="scheduling",
    question="Do the daemon's pods go to the nodes that are meant for them, and find one?",
    run=run,
)
