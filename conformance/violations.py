"""What Pod Security says of a pod, taken apart: which check, who breaks it, in which field.

The text is that of k8s.io/pod-security-admission (admission/admission.go, `EvaluatePod`; policy/checks.go,
`ForbiddenDetail`): `violates PodSecurity "baseline:v1.35": reason (detail), reason (detail)`. The sentences of all its
checks, policy versions v1.0 to v1.37, are known. Where a value of the pod has a quote itself, the text is ambiguous by
its making; it is then cut at the reasons that are known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

#: Every `ForbiddenReason` of policy/check_*.go. A reason that is not listed is understood all the same.
REASONS: Final = (
    "allowPrivilegeEscalation != false",
    "forbidden AppArmor profile",
    "forbidden AppArmor profiles",
    "forbidden sysctls",
    "hostPath volumes",
    "hostPort",
    "hostProcess",
    "host namespaces",
    "non-default capabilities",
    "privileged",
    "probe or lifecycle host",
    "procMount",
    "restricted volume types",
    "runAsNonRoot != true",
    "runAsUser=0",
    "seLinuxOptions",
    "seccompProfile",
    "unrestricted capabilities",
    "unknown forbidden reason",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Clause:
    """One demand of a check: who (`containers`, `volumes`, the pod itself) `says` what; `fields` are what to change.

    `on_pod`: the pod's own spec breaks the check; `or_pod`: setting it on the pod instead of the container would do.
    A field is a path below a container or below the pod's spec, or an annotation.
    """

    says: str
    on_pod: bool = False
    or_pod: bool = False
    containers: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Violation:
    """One check that the pod does not pass: its short `reason`, and the `detail` that it gave, whole and in clauses."""

    reason: str
    detail: str
    clauses: tuple[Clause, ...] = ()

    @property
    def containers(self) -> tuple[str, ...]:
        """Return the names of the containers that break it."""
        return tuple(dict.fromkeys(name for clause in self.clauses for name in clause.containers))

    @property
    def fields(self) -> tuple[str, ...]:
        """Return the fields to change."""
        return tuple(dict.fromkeys(field for clause in self.clauses for field in clause.fields))


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """What Pod Security said: at which level and policy version, and whether it refused (else it only warned)."""

    level: str
    version: str
    enforced: bool
    violations: tuple[Violation, ...]


_HEADER: Final = re.compile(
    r"\b(would\s+violate|violates)\s+PodSecurity\s+(\\*)[\"']?(privileged|baseline|restricted):(latest|v\d+\.\d+)"
    r"\\*[\"']?:\s*"
)
#: What stands for a character inside quotes: no part of a sentence, so that sentences can be looked for.
_HIDDEN: Final = "\0"
_QUOTING: Final = re.compile(r'\\.|kubernetes\.io/[\w.-]+="|"', re.DOTALL)
_REASON: Final = re.compile(r"\s*+(?:,\s*+)?([A-Za-z][^(),\"\0]*+)\(")
#: The one reason that comes without a detail (policy/checks.go, `UnknownForbiddenReason`).
_BARE: Final = re.compile(r"\s*+(?:,\s*+)?(unknown forbidden reason)\b(?!\s*+\()")
_BRACKET: Final = re.compile(r"[()]")
_KNOWN_NEXT: Final = re.compile(
    r"\)(?=\s*\Z|\s*,\s*(?:" + "|".join(re.escape(reason) for reason in REASONS) + r")\s*(?:\(|,|\Z))"
)
_NEXT_CLAUSE: Final = re.compile(r";\s+(?=(?:pod|containers?)\b)")
_NAMES: Final = r'("\0*"(?:,\s*"\0*")*)'
_SUBJECT: Final = re.compile(
    rf"(?:(pod)\b\s*(?:(or|and)\s+)?)?(?:containers?\s+{_NAMES}\s*(?:and\s+)?)?(?:volumes?\s+{_NAMES}\s*)?(?:annotations?\s+)?"
)
_QUOTED: Final = re.compile(r'"\0*"')
_FIELD: Final = re.compile(r"securityContext(?:\.\w+)+")
_HOST_NAMESPACE: Final = re.compile(r"\b(host\w+)=true")
_SELINUX: Final = re.compile(r"\b(type|user|role)s?\b")
#: The annotations of profiles before they had fields, and whom they speak of.
_ANNOTATION: Final = re.compile(
    r"(container\.(?:apparmor\.security\.beta|seccomp\.security\.alpha)\.kubernetes\.io/([\w.-]+)"
    r'|seccomp\.security\.alpha\.kubernetes\.io/pod)="'
)
#: The fields of checks whose sentence does not name them.
_FIELDS: Final = {
    "forbidden sysctls": ("securityContext.sysctls",),
    "hostPath volumes": ("volumes.hostPath",),
    "hostPort": ("ports.hostPort",),
    "probe or lifecycle host": ("*.httpGet.host", "*.tcpSocket.host"),
    "restricted volume types": ("volumes",),
    "runAsUser=0": ("securityContext.runAsUser",),
}
_APPARMOR: Final = "securityContext.appArmorProfile.type"


def parse(text: str) -> Refusal | None:
    """Take apart the first refusal or warning of Pod Security in a text, a log's too; None where there is none."""
    header = _HEADER.search(text)
    if header is None:
        return None
    rest = text[header.end() :]
    # In JSON in JSON there are three backslashes before a quote.
    for _ in range(len(header[2]).bit_length()):
        rest = re.sub(r'\\(["\\])', r"\1", rest)
    return Refusal(
        level=header[3],
        version=header[4],
        enforced=header[1] == "violates",
        violations=tuple(_violation(reason, detail) for reason, detail in _pairs(rest)),
    )


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """Yield each reason and its detail; a text that was cut off ends with what there is of the last detail."""
    masked = _mask(text)
    position = 0
    trusted = True
    while True:
        if (bare := _BARE.match(masked, position)) is not None:
            yield bare[1], ""
            position = bare.end()
            continue
        found = _REASON.match(masked if trusted else text, position)
        if found is None:
            return
        end = _closing(masked, found.end()) if trusted else None
        if end is None:
            # A value has a quote, or the text was cut off: what is quoted is not known any more.
            trusted = False
            known = _KNOWN_NEXT.search(text, found.end())
            end = known.start() if known is not None else len(text)
        yield " ".join(found[1].split()), " ".join(text[found.end() : end].split())
        position = end + 1


def _mask(text: str) -> str:
    """Hide what is in quotes; `"annotation="value""` is one quoted thing, as policy/helpers.go `joinQuote` makes it."""
    parts: list[str] = []
    depth = last = 0
    for token in _QUOTING.finditer(text):
        if token[0].startswith("\\"):
            continue
        between = text[last : token.start()]
        parts.append(_HIDDEN * len(between) if depth else between)
        last = token.end()
        before, depth = depth, _deeper(depth, nests=token[0] != '"')
        outside = 0 in {before, depth}
        parts.append(token[0] if outside else _HIDDEN * len(token[0]))
    parts.append(_HIDDEN * (len(text) - last) if depth else text[last:])
    return "".join(parts)


def _deeper(depth: int, *, nests: bool) -> int:
    """Return how deep in quotes a text is after a quote; it nests only as the value of an annotation in quotes."""
    if depth == 1 and nests:
        return 2
    return depth - 1 if depth else 1


def _closing(masked: str, position: int) -> int | None:
    """Return where the bracket closes that was opened before `position`."""
    depth = 1
    for bracket in _BRACKET.finditer(masked, position):
        depth += 1 if bracket[0] == "(" else -1
        if depth == 0:
            return bracket.start()
    return None


def _violation(reason: str, detail: str) -> Violation:
    masked = _mask(detail)
    starts = [0, *(cut.end() for cut in _NEXT_CLAUSE.finditer(masked))]
    ends = [*(cut.start() for cut in _NEXT_CLAUSE.finditer(masked)), len(detail)]
    spans = zip(starts, ends, strict=True) if detail else ()
    clauses = tuple(_clause(reason, detail[start:end], masked[start:end]) for start, end in spans)
    return Violation(reason=reason, detail=detail, clauses=clauses)


def _clause(reason: str, text: str, masked: str) -> Clause:
    subject = _SUBJECT.match(masked)
    assert subject is not None  # noqa: S101 - all of it is optional
    annotations = [found for found in _ANNOTATION.finditer(text) if "AppArmor" in reason or reason == "seccompProfile"]
    containers = (*_names(text, subject, 3), *(found[2] for found in annotations if found[2]))
    volumes = _names(text, subject, 4)
    of_pod = any(found[2] is None for found in annotations)
    return Clause(
        says=text[subject.end() :] or text,
        on_pod=of_pod or (subject[1] is not None and subject[2] != "or") or not (containers or volumes),
        or_pod=subject[2] == "or",
        containers=tuple(dict.fromkeys(containers)),
        volumes=volumes,
        fields=tuple(dict.fromkeys((*_fields(reason, subject, masked), *(found[1] for found in annotations)))),
    )


def _names(text: str, subject: re.Match[str], group: int) -> tuple[str, ...]:
    """Return the quoted names of a group of the masked text, which has the length of the text."""
    start = subject.start(group)
    quoted = _QUOTED.finditer(subject[group] or "")
    return tuple(text[start + found.start() + 1 : start + found.end() - 1] for found in quoted)


def _fields(reason: str, subject: re.Match[str], masked: str) -> tuple[str, ...]:
    if "AppArmor" in reason:
        # An annotation alone is no field.
        return (_APPARMOR,) if subject[1] or subject[3] else ()
    if reason == "host namespaces":
        return tuple(_HOST_NAMESPACE.findall(masked))
    named = _FIELD.findall(masked)
    if reason == "seLinuxOptions":
        said = masked.partition("seLinuxOptions:")[2]
        return tuple(f"securityContext.seLinuxOptions.{name}" for name in _SELINUX.findall(said))
    return tuple(named) or _FIELDS.get(reason, ())
