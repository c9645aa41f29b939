"""What is done with a chart: render, install, uninstall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from conformance.chart.helm import HelmCommand, finish
from conformance.chart.info import ChartInfo
from conformance.chart.limits import LIMITS
from conformance.chart.program import find_helm
from conformance.errors import HelmError

#: A Kubernetes object as it is written, no typed model in between.
Manifest = dict[str, Any]


def render(
    chart: ChartInfo,
    values: Mapping[str, Any],
    *,
    release: str,
    namespace: str,
    kubernetes: str = "1.35",
    post_renderer: Sequence[str] = (),
) -> list[Manifest]:
    """Return the objects that `install` would create, hooks and CRDs included, without a cluster.

    `kubernetes` is the line the chart is told it runs on. Raises HelmError: values refused or a template failed.
    """
    flags = ["--kube-version", kubernetes, *_post_renderer(post_renderer)]
    command = HelmCommand(find_helm(), limit=LIMITS.template, flags=flags)
    documents = finish(command.template(release, chart.path, dict(values), include_crds=True, namespace=namespace))
    return [document for document in documents if document]


def install(
    chart: ChartInfo,
    values: Mapping[str, Any],
    *,
    release: str,
    namespace: str,
    kubeconfig: Path,
    context: str = "",
    post_renderer: Sequence[str] = (),
) -> str:
    """Create the release's objects in an existing namespace and return what was said about it, warnings first.

    Waits for nothing: whether pods start is for the stages to see. Raises HelmError.
    """
    flags = _post_renderer(post_renderer)
    command = HelmCommand(find_helm(), limit=LIMITS.install, flags=flags, kubeconfig=kubeconfig, context=context)
    revision = finish(
        command.install_or_upgrade(
            release, chart.path, dict(values), create_namespace=False, namespace=namespace, wait=False
        )
    )
    info = revision.get("info", {})
    state = f"{revision.get('name')} revision {revision.get('version')}: {info.get('status')}"
    return "\n".join(part.strip() for part in (command.said, state, info.get("notes") or "") if part.strip()) + "\n"


def uninstall(*, release: str, namespace: str, kubeconfig: Path) -> None:
    """Delete the release's objects without waiting for them to be gone; no such release is no error."""
    command = HelmCommand(find_helm(), limit=LIMITS.uninstall, kubeconfig=kubeconfig)
    try:
        finish(command.uninstall(release, namespace=namespace))
    except HelmError as error:
        if "release: not found" not in error.output:
            raise


def _post_renderer(words: Sequence[str]) -> list[str]:
    program, arguments = words[:1], words[1:]
    return [*(f"--post-renderer={word}" for word in program), *(f"--post-renderer-args={word}" for word in arguments)]
