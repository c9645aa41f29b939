"""Say in words what a class is: for the terminal and for the reference page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from conformance.classify.catalogue import CLASSES
from conformance.classify.records import FailureClass, Rule
from conformance.model import Layer, VerdictKind

#: What the kinds mean for a cell.
KINDS: Final = {
    VerdictKind.UNSUPPORTED: "unsupported: policy or kernel says no",
    VerdictKind.NODE_PREREQUISITE: "node prerequisite: supported after a change of the node",
    VerdictKind.DEFECT: "defect of a chart, an image or a version",
    VerdictKind.BAD_INPUT: "bad input or credentials",
    VerdictKind.INFRASTRUCTURE: "infrastructure: inconclusive, try again",
    VerdictKind.SYMPTOM: "symptom only: another text holds the cause",
    VerdictKind.NOISE: "noise: never a failure",
}
#: What the layers are.
LAYERS: Final = {
    Layer.ADMISSION: "the API server, or a policy in front of it, takes the pod or refuses it",
    Layer.SCHEDULING: "a node is found for the pod",
    Layer.RUNTIME: "kubelet and container runtime pull images and start containers",
    Layer.ROOTLESSKIT: "the rootless daemon gets its user namespace",
    Layer.SNAPSHOTTER: "the daemon mounts and unpacks layers",
    Layer.EXECUTOR: "RUN steps run",
    Layer.GIT: "the build context is fetched",
    Layer.REGISTRY: "base images are pulled and the result is pushed",
    Layer.NETWORK: "the client talks to the daemon",
    Layer.RESOURCE: "memory and disk suffice",
    Layer.HELM: "the chart is installed",
    Layer.RECIPE: "what the user asked for can be built",
    Layer.PROVIDER: "the cluster itself is made and reached",
}

_HEAD: Final = """# Failure classes

What `conformance classify`, `conformance explain` and the verdicts of cells speak of.
This page is made by `conformance classes --markdown`.

Several classes may be seen in one failure.
State (reasons, conditions, exit codes) goes before text, and a cause before its consequences.
Then the order of the layers below decides.
A symptom loses to everything, and noise is never a verdict.

| kind | meaning |
|---|---|
"""


def markdown(classes: Iterable[FailureClass] | None = None) -> str:
    """Return the reference page of these classes (all of them when none are given), a table a layer."""
    chosen = tuple(CLASSES.values() if classes is None else classes)
    parts = [_HEAD + "".join(f"| {kind.value} | {words} |\n" for kind, words in KINDS.items())]
    for layer in Layer:
        here = [class_ for class_ in chosen if class_.layer is layer]
        if here:
            rows = "".join(
                f"| [`{c.name}`]({c.reference}) | {c.kind.value} | {_cell(c.meaning)} | {_cell(c.remedy)} |\n"
                for c in here
            )
            parts.append(
                f"\n## {layer.value}\n\nHere {LAYERS[layer]}.\n\n| class | kind | meaning | remedy |\n|---|---|---"
                f"|---|\n{rows}"
            )
    return "".join(parts)


def explanation(class_: FailureClass) -> str:
    """Return everything there is to say of a class, for the terminal."""
    lines = [
        class_.name,
        f"  layer      {class_.layer.value}: {LAYERS[class_.layer]}",
        f"  kind       {class_.kind.value}, {KINDS[class_.kind]}",
        f"  meaning    {class_.meaning}",
        f"  remedy     {class_.remedy}",
        f"  reference  {class_.reference}",
    ]
    if class_.explains:
        lines.append(f"  explains   {', '.join(class_.explains)}")
    for rule in class_.rules:
        lines.append(f"  text       {rule.pattern}")
        lines.extend(f"  {word:9}  {value}" for word, value in _context(rule) if value)
        if rule.also:
            lines.append(f"    allows   {', '.join(rule.also)} as well: facts decide")
    if not class_.rules:
        lines.append("  text       none: only facts tell it from the classes that share its text")
    return "\n".join(lines)


def _context(rule: Rule) -> tuple[tuple[str, str], ...]:
    return (("near", rule.near), ("unless", rule.unless), ("never by", rule.unless_near))


def as_dict(class_: FailureClass) -> dict[str, object]:
    """Return a class for `--json`."""
    return {
        "class": class_.name,
        "layer": class_.layer.value,
        "kind": class_.kind.value,
        "meaning": class_.meaning,
        "remedy": class_.remedy,
        "reference": class_.reference,
        "explains": list(class_.explains),
    }


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
