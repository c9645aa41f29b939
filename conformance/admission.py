"""What a real API server says to the pods of workloads, in namespaces labelled for it and removed again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, Final

from clusters import interrupts
from clusters.provider import Progress
from conformance import namespace
from conformance.classify import CLASSES, classify_text
from conformance.errors import ApiError, UsageError
from conformance.kube import Json, Kube
from conformance.model import Layer, Level, PsaLevel, Record, SourceKind
from conformance.violations import Violation, parse
from conformance.workloads import Workload


class Verdict(StrEnum):
    """What became of one question."""

    ADMITTED = "admitted"
    REFUSED = "refused"
    #: Pod Security does not look at this pod, so that its admission says nothing.
    EXEMPT = "exempt"


class Refuser(StrEnum):
    """Who refused a pod."""

    POD_SECURITY = "pod-security"
    #: The API server itself: the pod is not well-formed.
    VALIDATION = "validation"
    QUOTA = "quota"
    LIMIT_RANGE = "limit-range"
    #: A webhook or a policy engine.
    POLICY = "policy"
    #: Another admission plugin: the message says which.
    OTHER = "other"


class Answer(Record):
    """What the server said to one workload's pod at one level."""

    #: `Kind/name`.
    workload: str
    level: str
    verdict: Verdict
    refused_by: Refuser | None = None
    #: Of a refusal by others than Pod Security, where the message tells it.
    failure_class: str | None = None
    #: The server's words.
    message: str = ""
    violations: tuple[Violation, ...] = ()
    #: The server's `Warning:` headers.
    warnings: tuple[str, ...] = ()
    #: What else must be known to read the answer.
    notes: tuple[str, ...] = ()


#: A real refusal begins like this; policy engines quote the rest of the sentence.
_POD_SECURITY: Final = re.compile(
    r'(?:admission webhook "pod-security-webhook\.kubernetes\.io" denied the request: )?'
    r'pods(?: "[^"]*")? is forbidden: violates PodSecurity "'
)
_REFUSERS: Final = {
    "resource-quota-exceeded": Refuser.QUOTA,
    "resource-quota-unset-limits": Refuser.QUOTA,
    "limitrange-violation": Refuser.LIMIT_RANGE,
    "procmount-needs-hostusers-false": Refuser.VALIDATION,
    "admission-webhook-denied": Refuser.POLICY,
    "psp-violation": Refuser.POLICY,
    "scc-violation": Refuser.POLICY,
}
_FORBIDDEN: Final = 403
#: The server read the request and refuses it for what is in it (RFC 9110, section 15.5).
_BAD_REQUEST, _INVALID = 400, 422
_SERVER_ERROR: Final = 500
_ABOUT_US: Final = re.compile(
    r'User "[^"]*" cannot |does not support dry run|because it is being terminated|error looking up service account'
)
_NEEDED: Final = (
    "Needed are the rights to create and delete namespaces, to get service accounts, and to create pods (dry run)."
)
_MINOR: Final = re.compile(r"v?1\.(\d+)")


def check_versions(levels: Iterable[Level], server: str) -> None:
    """Refuse policies newer than a server (`v1.35.4` or `1.35`), which would use its newest without a word.

    Raises UsageError.
    """
    newest = _minor(server)
    too_new = [level for level in levels if level.version != "latest" and _minor(level.version) > newest]
    if too_new:
        raise UsageError(
            *(
                f"--psa {level}: the server is {server} and would silently use its own newest policy, v1.{newest}: "
                f"pin v1.{newest} or older, or ask a newer server (--kubernetes)"
                for level in too_new
            )
        )


def ask(
    kube: Kube, workloads: Iterable[Workload], levels: Iterable[Level], *, run_id: str, say: Progress
) -> tuple[Answer, ...]:
    """Ask about every workload at every level. Raises ApiError, WaitError: also where Pod Security is not in force."""
    asked = tuple(workloads)
    answers: list[Answer] = []
    for level in levels:
        with _labelled(kube, level, run_id, say) as name:
            say(f"asking about {len(asked)} pods in namespace {name}, labelled {level}")
            exempt = _exempt_runtime_classes(kube, name, level, asked)
            answers += (_answer(kube, name, level, workload, exempt=exempt) for workload in asked)
    return tuple(answers)


@contextmanager
def _labelled(kube: Kube, level: Level, run_id: str, say: Progress) -> Iterator[str]:
    """Give a namespace with a level's labels for the length of a block."""
    name = namespace.name_for(run_id, f"admit-{level.slug}")
    refused = False
    try:
        try:
            kube.create_namespace(namespace.manifest(name, level=level, run_id=run_id, cell_id=f"admit-{level.slug}"))
        except ApiError as error:
            # Without an answer it may have been created all the same.
            refused = error.status is not None and error.status < _SERVER_ERROR
            hint = f"\n{_NEEDED}" if error.status == _FORBIDDEN else ""
            raise ApiError(f"namespace {name}: {error}{hint}", status=error.status, reason=error.reason) from error
        namespace.wait(kube, name)
        yield name
    except BaseException:
        # What went wrong first is what is told; an interrupt, too, must leave nothing.
        try:
            if not refused:
                _delete(kube, name)
        except ApiError as error:
            say(str(error))
        raise
    _delete(kube, name)


def _delete(kube: Kube, name: str) -> None:
    with interrupts.held_back():
        try:
            kube.delete_namespace(name)
        except ApiError as error:
            raise ApiError(
                f"namespace {name} may still be there: {error}\nRemove it by `kubectl delete namespace {name}`."
            ) from error


def why_not_in_force(kube: Kube, name: str, level: Level) -> str:
    """Ask in a namespace with a level's labels about a pod that must be refused; say why it was not, or nothing.

    Nothing is created. Raises ApiError where the answer is none about the pod.
    """
    refusal = _refusal(kube, name, _known_bad())
    if refusal is None:
        return (
            f"Pod Security Admission is not in force: a privileged pod was admitted in namespace {name}, which is "
            f"labelled {level}. The cluster exempts the namespace or your user, or does not run the plugin "
            f"(AdmissionConfiguration, `exemptions`)."
        )
    if not _is_pod_security(refusal):
        return (
            f"it cannot be shown that Pod Security Admission is in force: a privileged pod in namespace {name}, which "
            f"is labelled {level}, was refused by something else: {refusal}."
        )
    return ""


def _exempt_runtime_classes(kube: Kube, name: str, level: Level, workloads: Iterable[Workload]) -> frozenset[str]:
    """Show by a pod that must be refused that Pod Security is in force; return the runtime classes it spares.

    Raises ApiError where it is not in force: an exempt user or namespace, or a cluster without it.
    """
    if level.psa is PsaLevel.PRIVILEGED:
        return frozenset()
    if why := why_not_in_force(kube, name, level):
        raise ApiError(f"{why} No answer of it would mean anything: ask as another user, or another cluster.")
    classes = {workload.runtime_class for workload in workloads} - {""}
    return frozenset(each for each in classes if _refusal(kube, name, _known_bad(each)) is None)


def _known_bad(runtime_class: str = "") -> Json:
    """Return a pod that violates every version of baseline and restricted."""
    container = {"name": "privileged", "image": "registry.k8s.io/pause", "securityContext": {"privileged": True}}
    spec: Json = {"containers": [container]}
    if runtime_class:
        spec["runtimeClassName"] = runtime_class
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "known-bad"}, "spec": spec}


def _answer(kube: Kube, name: str, level: Level, workload: Workload, *, exempt: frozenset[str]) -> Answer:
    about = {"workload": workload.name, "level": str(level)}
    try:
        answer = kube.create_pod(name, workload.pod, dry_run=True)
    except ApiError as error:
        _raise_unless_refused(error)
        refused_by, class_ = _refuser(error)
        said = parse(str(error)) if refused_by is Refuser.POD_SECURITY else None
        return Answer(
            **about,
            verdict=Verdict.REFUSED,
            refused_by=refused_by,
            failure_class=class_,
            message=str(error),
            violations=said.violations if said is not None else (),
            notes=workload.notes,
        )
    spared = workload.runtime_class in exempt
    why = (f"Pod Security spares pods of runtime class {workload.runtime_class} on this cluster",) if spared else ()
    dropped = tuple(
        f"the server dropped {field}" for field in _dropped(workload.pod["spec"], answer.body.get("spec"), "spec")
    )
    return Answer(
        **about,
        verdict=Verdict.EXEMPT if spared else Verdict.ADMITTED,
        warnings=answer.warnings,
        notes=(*workload.notes, *why, *dropped),
    )


def _refusal(kube: Kube, name: str, pod: Json) -> ApiError | None:
    try:
        kube.create_pod(name, pod, dry_run=True)
    except ApiError as error:
        _raise_unless_refused(error)
        return error
    return None


def _raise_unless_refused(error: ApiError) -> None:
    """Raise an error that says nothing about the pod: a server that is ill, rights that are missing."""
    if error.status not in {_BAD_REQUEST, _FORBIDDEN, _INVALID} or _ABOUT_US.search(str(error)):
        hint = f"\n{_NEEDED}" if error.status == _FORBIDDEN else ""
        raise ApiError(f"the pod could not be asked about: {error}{hint}", status=error.status) from error


def _is_pod_security(error: ApiError) -> bool:
    return error.status == _FORBIDDEN and _POD_SECURITY.match(str(error)) is not None


def _refuser(error: ApiError) -> tuple[Refuser, str | None]:
    """Say who refused, and the failure class where that was not Pod Security and the text tells it."""
    if _is_pod_security(error):
        return Refuser.POD_SECURITY, None
    class_ = classify_text(str(error), SourceKind.API).class_
    if class_ is not None and CLASSES[class_].layer is Layer.ADMISSION:
        return _REFUSERS.get(class_, Refuser.OTHER), class_
    return (Refuser.OTHER if error.status == _FORBIDDEN else Refuser.VALIDATION), None


def _dropped(asked: object, admitted: object, path: str) -> Iterator[str]:
    """Yield what was asked for and is not in the admitted pod: a server drops fields of features it has switched off.

    Values that mean "unset" are left out of an answer as a matter of course, `hostUsers: false` is not one of them.
    """
    if isinstance(asked, Mapping) and isinstance(admitted, Mapping):
        for key, value in asked.items():
            if key in admitted:
                yield from _dropped(value, admitted[key], f"{path}.{key}")
            elif value or key == "hostUsers":
                yield f"{path}.{key}"
    elif isinstance(asked, list) and isinstance(admitted, list):
        named = _by_name(admitted)
        for each in asked:
            if isinstance(each, Mapping) and each.get("name") in named:
                yield from _dropped(each, named[each["name"]], f"{path}[{each['name']}]")


def _by_name(entries: list[Any]) -> dict[Any, Any]:
    """Return named entries by their names: webhooks put others between them."""
    return {each["name"]: each for each in entries if isinstance(each, Mapping) and "name" in each}


def _minor(version: str) -> int:
    found = _MINOR.match(version)
    if found is None:
        raise UsageError(f"{version!r} is no version of Kubernetes: it would be such as 1.35")
    return int(found[1])
