"""Gate 1: what was asked for is there, and no controller reports that it cannot make it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from conformance.doctor import argo
from conformance.doctor.gate import Gate
from conformance.doctor.installation import Installation, Workload
from conformance.doctor.pods import best, diagnose, is_over, is_ready
from conformance.doctor.reader import ForbiddenError
from conformance.doctor.records import Answer, failed, passed, unproven
from conformance.model import SourceKind
from conformance.nearest import nearest

#: A condition of a controller, and the status under which it is bad news.
_BAD: Final = {"ReplicaFailure": "True", "Progressing": "False"}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Problem:
    #: What reports it, `Kind/name`.
    who: str
    #: The condition or event, e.g. `ReplicaFailure=True FailedCreate`.
    what: str
    message: str

    @property
    def line(self) -> str:
        return f"{self.who} {self.what}: {self.message}"


def run(installation: Installation) -> Answer:
    """Find the workload behind the Service and ask it, and whatever renders it, for failures."""
    service = installation.service()
    if service is None:
        return _no_service(installation)
    selector: dict[str, str] = (service.get("spec") or {}).get("selector") or {}
    if not selector:
        return unproven(
            f"{installation.title} selects no pods: its endpoints are set by somebody else, who must be asked",
            remedy="Name the Service whose selector matches the daemon's pods.",
        )
    workloads = installation.workloads(selector)
    apps = argo.applications(installation, [service, *(each.body for each in workloads)])
    if broken := [line for app in apps for line in argo.errors(app)]:
        return failed(
            "Argo CD cannot render or sync what is asked for",
            remedy="Repair what the condition names (chart, values, repository access); nothing below is as intended.",
            evidence=tuple(broken),
        )
    if not workloads:
        return _no_workload(installation, selector)
    problems = [problem for each in workloads for problem in _problems(installation, each)]
    if problems:
        return _refused(installation, problems, selector)
    says = "; ".join(f"{each.title} has {each.existing} of {each.wanted} pods" for each in workloads)
    return passed(f"{says}; no failure is reported", notes=(*_stale(workloads), *map(argo.remark, apps)))


def _no_service(installation: Installation) -> Answer:
    try:
        path = f"/api/v1/namespaces/{installation.namespace}/services"
        names = [each["metadata"]["name"] for each in installation.reader.listed(path)]
    except ForbiddenError:
        names = []
    near = nearest(installation.name, names)
    there = f" Services there: {', '.join(sorted(names))}." if names else ""
    meant = f" Did you mean {near!r}?" if near else ""
    return failed(
        f"there is no {installation.title}",
        remedy=f"Check --namespace and --service, and whether it was installed at all.{meant}{there}",
    )


def _no_workload(installation: Installation, selector: dict[str, str]) -> Answer:
    labels = ",".join(f"{key}={value}" for key, value in sorted(selector.items()))
    if pods := installation.pods(selector):
        names = ", ".join(f"Pod/{pod['metadata']['name']}" for pod in pods)
        return passed(
            f"{names}: selected by the Service, and no Deployment, StatefulSet or DaemonSet makes them",
            notes=("nobody replaces these pods when they end",),
        )
    return failed(
        f"nothing makes pods with the labels that {installation.title} selects ({labels})",
        remedy="Compare the Service's selector with the labels of the pod template, and check that it was installed.",
    )


def _problems(installation: Installation, workload: Workload) -> Iterator[_Problem]:
    for each in workload.status.get("conditions") or []:
        if _BAD.get(each["type"]) == each["status"]:
            what = f"{each['type']}={each['status']} {each.get('reason', '')}".rstrip()
            yield _Problem(who=workload.title, what=what, message=each.get("message", ""))
    if workload.kind != "Deployment" and workload.existing < workload.wanted:
        # These two report a refused pod in no condition, only in events.
        yield from _events(installation, workload)


def _events(installation: Installation, workload: Workload) -> Iterator[_Problem]:
    about = f"involvedObject.kind={workload.kind},involvedObject.name={workload.body['metadata']['name']}"
    path = f"/api/v1/namespaces/{installation.namespace}/events"
    found = installation.reader.listed_if_allowed(path, vital=False, fieldSelector=f"{about},reason=FailedCreate")
    for event in found[-1:]:
        yield _Problem(who=workload.title, what="FailedCreate", message=event.get("message", ""))


def _refused(installation: Installation, problems: list[_Problem], selector: dict[str, str]) -> Answer:
    finding = best((problem.message, kind) for kind in (SourceKind.API, SourceKind.EVENT) for problem in problems)
    evidence = tuple(problem.line for problem in problems)
    if finding.class_ is None:
        # A rollout that makes no progress says only that: its pods say why.
        sick = [pod for pod in installation.pods(selector) if not is_ready(pod) and not is_over(pod)]
        found = [diagnose(installation.reader, pod) for pod in sick]
        evidence += tuple(line for _, lines in found for line in lines)
        finding = next((each for each, _ in found if each.class_ is not None), finding)
    return failed(
        f"{problems[0].who} cannot make its pods: {problems[0].what}",
        failure_class=finding.class_,
        candidates=finding.candidates,
        remedy="" if finding.class_ else "Repair what the message names; no later gate can pass before.",
        evidence=evidence,
    )


def _stale(workloads: list[Workload]) -> Iterator[str]:
    for each in workloads:
        if each.status.get("observedGeneration", 0) < each.body["metadata"].get("generation", 0):
            yield f"{each.title}: its controller has not acted on the last change yet"


GATE: Final = Gate(
    name="rendered",
    question="Is what was asked for there, and does no controller report that it cannot make it?",
    run=run,
)
