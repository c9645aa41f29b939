"""Gate 2: the Service has endpoints, and the pods behind it are Ready."""

from __future__ import annotations

from typing import Final

from conformance.doctor.gate import Gate
from conformance.doctor.installation import Installation
from conformance.doctor.pods import diagnose, is_over, is_ready, why_unscheduled
from conformance.doctor.reader import ForbiddenError
from conformance.doctor.records import Answer, failed, passed, unproven
from conformance.kube import Json

_REFUSED: Final = "buildkitd-conn-refused"


def run(installation: Installation) -> Answer:
    """Look at the EndpointSlices and at every pod that the Service selects."""
    if (wrong := _wrong_port(installation)) is not None:
        return wrong
    ready = installation.endpoints(installation.slices())
    selector = installation.selector()
    pods = installation.pods(selector) if selector else []
    over = [pod for pod in pods if is_over(pod)]
    unready = [pod for pod in pods if not is_over(pod) and not is_ready(pod)]
    # One that waits for a node beside others that serve is the scheduling gate's.
    waiting = [pod for pod in unready if ready and why_unscheduled(pod) is not None]
    notes = tuple(f"Pod/{pod['metadata']['name']} has ended and stays as a record" for pod in over)
    notes += tuple(f"Pod/{pod['metadata']['name']} waits for a node: see scheduling" for pod in waiting)
    if sick := [pod for pod in unready if pod not in waiting]:
        return _sick(installation, sick, serving=len(ready), notes=notes)
    if not ready:
        return _none(installation, selector, pods, notes)
    where = ", ".join(f"{pod} at {address}:{port}" for address, port, pod in ready)
    return passed(f"{len(ready)} ready: {where}", notes=notes)


def _wrong_port(installation: Installation) -> Answer | None:
    try:
        service = installation.service()
    except ForbiddenError:
        # EndpointSlices bear the Service's name: they can be read without it.
        return None
    ports = [int(each["port"]) for each in ((service or {}).get("spec") or {}).get("ports") or []]
    if service is None or installation.port in ports:
        return None
    return failed(
        f"{installation.title} has no port {installation.port}: it has {', '.join(map(str, ports)) or 'none'}",
        failure_class=_REFUSED,
        remedy="Give the Service's port with --port, and to the clients.",
    )


def _sick(installation: Installation, pods: list[Json], *, serving: int, notes: tuple[str, ...]) -> Answer:
    found = [diagnose(installation.reader, pod) for pod in pods]
    finding, _ = next((each for each in found if each[0].decisive), found[0])
    names = ", ".join(f"Pod/{pod['metadata']['name']}" for pod in pods)
    others = f"; {serving} serve" if serving else "; the Service has no ready endpoint"
    return failed(
        f"not Ready: {names}{others}",
        failure_class=finding.class_,
        candidates=finding.candidates,
        remedy="" if finding.class_ else "Read what its containers say below, their logs and the pod's events.",
        evidence=tuple(line for _, lines in found for line in lines),
        notes=notes,
    )


def _none(installation: Installation, selector: dict[str, str], pods: list[Json], notes: tuple[str, ...]) -> Answer:
    says = f"{installation.title} has no ready endpoint"
    if not selector:
        return failed(says, failure_class=_REFUSED, notes=notes)
    workloads = installation.workloads(selector)
    if off := [each.title for each in workloads if each.wanted == 0]:
        return failed(
            f"{says}: {', '.join(off)} is scaled to 0",
            failure_class=_REFUSED,
            remedy="Scale it up to 1 or more, or find out what scaled it down.",
            notes=notes,
        )
    if all(is_over(pod) for pod in pods):
        return failed(f"{says}: no pod that it selects is there", failure_class=_REFUSED, notes=notes)
    return unproven(
        f"{says}, yet all pods that it selects are Ready: the EndpointSlice controller has not caught up, or the "
        "port's name is in no slice",
        remedy="Ask again; then compare the Service's targetPort with the pods' ports.",
        notes=notes,
    )


GATE: Final = Gate(
    name="endpoints",
    question="Does the Service have endpoints, and are the pods behind it Ready?",
    run=run,
)
