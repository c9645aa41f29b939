"""Pods that only read something and print it."""

from __future__ import annotations

from conformance.kube import Kube
from conformance.observe import proc
from conformance.waiting import poll


def output(kube: Kube, namespace: str, pod: str, container: str, *, within: float) -> str:
    """Return what a pod has printed once it is complete; empty when the pod failed. Raises WaitError, ApiError.

    The log is asked, not the pod's phase: a kubelet tells a container's end a second or two after it.
    """

    def look() -> str | None:
        log = kube.logs(namespace, pod, container) or ""
        if proc.is_complete(log):
            return log
        found = kube.pod(namespace, pod)
        phase = found.get("status", {}).get("phase") if found else "Failed"
        if phase == "Succeeded":
            # Its last words may have come between the two looks.
            return kube.logs(namespace, pod, container) or ""
        return "" if phase == "Failed" else None

    return poll(look, within=within, what=f"the output of pod {pod}", every=0.1)
