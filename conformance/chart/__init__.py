"""Charts under test, and helm, which renders and installs them. Nothing outside this package speaks to helm."""

from conformance.chart.adapter import ADAPTERS, ChartAdapter, adapter_for
from conformance.chart.info import ChartInfo, load
from conformance.chart.manifests import pod_template
from conformance.chart.program import find_helm, helm_version
from conformance.chart.release import install, render, uninstall

__all__ = [
    "ADAPTERS",
    "ChartAdapter",
    "ChartInfo",
    "adapter_for",
    "find_helm",
    "helm_version",
    "install",
    "load",
    "pod_template",
    "render",
    "uninstall",
]
