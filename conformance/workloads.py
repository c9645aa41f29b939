"""The pods of manifests: every workload's pod template, as a pod that any namespace can be asked about."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from conformance.errors import UsageError

Json = dict[str, Any]

#: Where each kind keeps its pod template; a Pod is one itself.
_TEMPLATES: Final[Mapping[str, tuple[str, ...]]] = {
    "Pod": (),
    "PodTemplate": ("template",),
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "ReplicationController": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
KINDS: Final = tuple(_TEMPLATES)
#: Where kinds that are not Kubernetes' own usually keep theirs (Argo's Rollout, Knative's Service).
_USUAL: Final = ("spec", "template")
#: Fields that name objects of the pod's own namespace or cluster. No check of Pod Security looks at them, and a server
#: that lacks the object would refuse the pod for that.
_REFERENCES: Final = ("serviceAccountName", "serviceAccount", "priorityClassName", "priority")
_HOOK: Final = "helm.sh/hook"


@dataclass(frozen=True, kw_only=True, slots=True)
class Workload:
    """What makes a pod: `name` as `Kind/name`, the `pod` to ask about, and `notes` on what was changed in it."""

    name: str
    pod: Json = field(hash=False)
    notes: tuple[str, ...] = ()

    @property
    def runtime_class(self) -> str:
        """Return the pod's runtime class; empty: the node's default."""
        return str(self.pod["spec"].get("runtimeClassName") or "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """The workloads of some objects, and the objects that have containers in a place that is not known."""

    workloads: tuple[Workload, ...]
    not_understood: tuple[str, ...]


class _Loader(yaml.SafeLoader):
    """YAML as the API server's clients read it: a date stays a text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def parse(text: str, origin: str) -> list[Json]:
    """Read the objects of a manifest: JSON, or YAML of several documents. Raises UsageError that says what is wrong."""
    try:
        documents = _documents(text)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise UsageError(f"{origin}: it is neither YAML nor JSON: {error}") from error
    faults = [fault for number, each in enumerate(documents, start=1) if (fault := _fault(number, each))]
    if faults:
        raise UsageError(*(f"{origin}: {fault}" for fault in faults))
    return documents


def find(objects: Iterable[Mapping[str, Any]], origin: str) -> Found:
    """Return the workloads of objects, those in lists too. Raises UsageError when there is none."""
    flat = list(_flatten(objects))
    workloads: list[Workload] = []
    others: list[str] = []
    for each in flat:
        template = _template(each)
        if template is not None:
            workloads.append(_workload(each, template))
        elif _has_containers(each):
            others.append(_name(each))
    if not workloads:
        seen = ", ".join(dict.fromkeys(_name(each) for each in flat)) or "nothing"
        raise UsageError(
            f"{origin}: there is no pod in it. It has: {seen}. Pods are looked for in {', '.join(KINDS)}, "
            f"in lists of them, and in whatever else has a pod template at spec.template."
        )
    return Found(workloads=tuple(workloads), not_understood=tuple(others))


def _documents(text: str) -> list[Any]:
    if text.lstrip().startswith(("{", "[")):
        try:
            found = json.loads(text)
        except ValueError:
            # YAML's flow style looks like it.
            pass
        else:
            return found if isinstance(found, list) else [found]
    # No other loader than ours, which is a SafeLoader.
    found = [each for each in yaml.load_all(text, Loader=_Loader) if each is not None]
    # What JSON cannot say (YAML's sets and binaries), an API server cannot be asked.
    plain: list[Any] = json.loads(json.dumps(found, allow_nan=False))
    return plain


def _fault(number: int, document: object) -> str | None:
    if not isinstance(document, dict):
        return f"document {number} is no Kubernetes object but a {type(document).__name__}"
    if not isinstance(document.get("kind"), str):
        return f"document {number} has no kind, so it is no Kubernetes object"
    return None


def _flatten(objects: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for each in objects:
        items = each.get("items")
        kind = str(each.get("kind") or "")
        if kind.endswith("List") and isinstance(items, list):
            # The items of a typed list (PodList) may leave out what they are.
            inner = {"kind": kind.removesuffix("List")}
            yield from _flatten({**inner, **item} for item in items if isinstance(item, Mapping))
        else:
            yield each


def _template(each: Mapping[str, Any]) -> Mapping[str, Any] | None:
    kind = str(each.get("kind") or "")
    found: Any = each
    for key in _TEMPLATES.get(kind, _USUAL):
        found = found.get(key) if isinstance(found, Mapping) else None
    template: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    spec = template.get("spec")
    if kind in _TEMPLATES:
        # One without containers is for the server to refuse.
        return {**template, "spec": spec if isinstance(spec, Mapping) else {}}
    is_pod = isinstance(spec, Mapping) and isinstance(spec.get("containers"), list)
    return template if is_pod else None


def _has_containers(value: object) -> bool:
    if isinstance(value, Mapping):
        containers = value.get("containers")
        if isinstance(containers, list) and any(isinstance(each, Mapping) and "image" in each for each in containers):
            return True
        return any(_has_containers(each) for each in value.values())
    return isinstance(value, list) and any(_has_containers(each) for each in value)


def _workload(each: Mapping[str, Any], template: Mapping[str, Any]) -> Workload:
    inner = template.get("metadata")
    described: Mapping[str, Any] = inner if isinstance(inner, Mapping) else {}
    metadata = {key: described[key] for key in ("labels", "annotations") if described.get(key)}
    name = str(_metadata(each).get("name") or "")
    metadata |= {"name": name} if name else {"generateName": "pod-"}
    spec = {key: value for key, value in template["spec"].items() if key not in _REFERENCES}
    account = template["spec"].get("serviceAccountName") or template["spec"].get("serviceAccount")
    named = {"serviceAccountName": account, "priorityClassName": template["spec"].get("priorityClassName")}
    notes = [f"asked without {key}: {value}" for key, value in named.items() if value and value != "default"]
    hook = (_metadata(each).get("annotations") or {}).get(_HOOK)
    return Workload(
        name=_name(each),
        pod={"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec},
        notes=(*((f"helm hook: {hook}",) if hook else ()), *notes),
    )


def _name(each: Mapping[str, Any]) -> str:
    metadata = _metadata(each)
    name = metadata.get("name") or metadata.get("generateName")
    return f"{each.get('kind')}/{name}" if name else str(each.get("kind"))


def _metadata(each: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = each.get("metadata")
    return metadata if isinstance(metadata, Mapping) else {}
