"""`conformance admit`: what a real API server says to the pods of a manifest or a chart."""

from __future__ import annotations

import os
import re
import secrets
import sys
import time
from pathlib import Path
from typing import Any, Final

import click
import yaml

from clusters.embedded.toolchain import DEFAULT_LINE, KUBERNETES_LINES
from clusters.provider import Progress
from conformance import admission, chart, plan, throwaway, workloads
from conformance.admission import Answer, Verdict
from conformance.chart import ChartInfo
from conformance.display import result_console
from conformance.errors import ExitCode, HelmError, UsageError
from conformance.kube import Kube
from conformance.model import Level, PsaLevel, Record
from conformance.report import admission as table
from conformance.workloads import Found

_HELP = """Say whether a real API server admits a manifest's or a chart's pods, and which container breaks which check.

SOURCE is a file of Kubernetes objects (YAML or JSON), `-` for standard input, or a chart: a folder, a .tgz, oci://...
Each pod template is submitted by server-side dry run in a namespace labelled with the level; nothing is created but
that namespace, and it is removed. Whether Pod Security is in force there is shown first, by a pod that must be refused.

Without --kubeconfig or --context a cluster is stood up for the question and deleted (15 seconds; the first time its
programs are built, which takes 20 minutes). A policy version that matters can be asked of any newer server.

\b
Examples:
  conformance admit pod.yaml --psa baseline
  conformance admit deployment.yaml --psa baseline@v1.34 --psa baseline@v1.35
  conformance admit charts/build-sidecar --values my.yaml --json
  kubectl get deployment app -o yaml | conformance admit - --context staging

\b
Exit codes:
  0    everything was admitted
  1    something was refused: each container, check and demand is listed
  2    infrastructure failed, or Pod Security is not in force there
  3    bad input: nothing that can be read, no pod in it, a kind whose pods are not known
  130  interrupted; what was created has been removed
"""
_STDIN: Final = "-"
_ARCHIVES: Final = (".tgz", ".tar.gz")


class Report(Record):
    """What `--json` prints."""

    schema_version: int = 1
    source: str
    #: The server's version, e.g. `v1.35.4`.
    server: str
    answers: tuple[Answer, ...]
    #: Objects whose containers are in a place that is not known, `Kind/name`.
    not_understood: tuple[str, ...]


def _admit(**values: Any) -> None:  # noqa: ANN401 - click hands over what the options list
    levels = _levels(values["psa"])
    existing = values["kubeconfig"] is not None or values["context"] is not None
    if existing and (values["cluster"] or values["kubernetes"]):
        raise UsageError("--kubeconfig and --context name a cluster there is; --cluster and --kubernetes make one")
    if values["kubeconfig"] is not None and not values["kubeconfig"].is_file():
        raise UsageError(f"--kubeconfig {values['kubeconfig']}: there is no such file")
    source = _Source(values["source"], values["values"])
    if existing:
        report = _ask_existing(source, levels, kubeconfig=values["kubeconfig"], context=values["context"])
    else:
        line = values["kubernetes"] or DEFAULT_LINE
        report = _ask_throwaway(source, levels, provider=values["cluster"] or "embedded", line=line)
    if values["as_json"]:
        click.echo(report.model_dump_json(indent=2))
    else:
        table.show(report.answers, result_console())
    for name in report.not_understood:
        click.echo(f"error: not asked about: {name} has containers, but no pod template at spec.template", err=True)
    sys.exit(int(_exit_code(report)))


class _Source:
    """What was asked about; a manifest is read at once, a chart is rendered once the Kubernetes line is known."""

    def __init__(self, name: str, values: Path | None) -> None:
        self.name = name
        self._values = _read_values(values)
        self._found: Found | None = None
        self._chart: ChartInfo | None = None
        if name.startswith("oci://"):
            # To download it helm is needed, which may have to be built first.
            return
        if name.endswith(_ARCHIVES) or Path(name).is_dir():
            self._chart = _load(name)
        elif values is not None:
            raise UsageError(f"--values is for a chart, and {name} is none")
        else:
            title = "standard input" if name == _STDIN else name
            self._found = workloads.find(workloads.parse(_read(name), title), title)

    def found(self, line: str) -> Found:
        """Return the workloads, a chart's as it renders for a Kubernetes line."""
        if self._found is not None:
            return self._found
        info = self._chart or _load(self.name)
        try:
            objects = chart.render(info, self._values, release=info.name, namespace="default", kubernetes=line)
        except HelmError as error:
            raise UsageError(f"{self.name}: the chart does not render: {error}") from error
        return workloads.find(objects, self.name)


def _load(name: str) -> ChartInfo:
    try:
        return chart.load(name)
    except UsageError as error:
        raise UsageError(*(fault.removeprefix("--chart ") for fault in error.faults)) from error


def _ask_existing(
    source: _Source, levels: tuple[Level, ...], *, kubeconfig: Path | None, context: str | None
) -> Report:
    path = kubeconfig or Path(os.environ.get("KUBECONFIG") or "~/.kube/config").expanduser()
    with Kube(path, user_agent="admit", context=context) as kube:
        server = kube.version()
        admission.check_versions(levels, server)
        # Without what vendors add: v1.34.1+k3s1, v1.33.4-eks-3cfe0ce.
        line = re.split(r"[-+]", server.removeprefix("v"))[0]
        return _ask(kube, source, source.found(line), levels, _progress())


def _ask_throwaway(source: _Source, levels: tuple[Level, ...], *, provider: str, line: str) -> Report:
    admission.check_versions(levels, line)
    say = _progress()
    throwaway.prepare(provider, throwaway.spec_of(line), say)
    found = source.found(line)
    with (
        throwaway.cluster(provider, line, say, purpose="admit") as cluster,
        Kube(cluster.kubeconfig, user_agent="admit") as kube,
    ):
        return _ask(kube, source, found, levels, say)


def _ask(kube: Kube, source: _Source, found: Found, levels: tuple[Level, ...], say: Progress) -> Report:
    answers = admission.ask(kube, found.workloads, levels, run_id=f"admit-{secrets.token_hex(4)}", say=say)
    return Report(source=source.name, server=kube.version(), answers=answers, not_understood=found.not_understood)


def _levels(asked: tuple[str, ...]) -> tuple[Level, ...]:
    faults = [f"--psa: {fault}" for text in asked if (fault := plan.level_fault(text)) is not None]
    if faults:
        raise UsageError(*faults)
    return tuple(dict.fromkeys(Level.parse(text) for text in asked or tuple(PsaLevel)))


def _read(name: str) -> str:
    try:
        raw = sys.stdin.buffer.read() if name == _STDIN else Path(name).expanduser().read_bytes()
        return raw.decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror or error}. Check the path.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{name} is no text in UTF-8: {error}") from error


def _read_values(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        values = yaml.safe_load(_read(str(path)))
    except yaml.YAMLError as error:
        raise UsageError(f"--values {path}: it is no YAML: {error}") from error
    if values is not None and not isinstance(values, dict):
        raise UsageError(f"--values {path}: it is no mapping of a chart's values")
    return values or {}


def _exit_code(report: Report) -> ExitCode:
    verdicts = {answer.verdict for answer in report.answers}
    if report.not_understood:
        return ExitCode.USAGE
    if Verdict.REFUSED in verdicts:
        return ExitCode.CLAIMS_BROKEN
    return ExitCode.INFRASTRUCTURE if Verdict.EXEMPT in verdicts else ExitCode.AS_CLAIMED


def _progress() -> Progress:
    began = time.monotonic()

    def say(line: str) -> None:
        click.echo(f"{time.monotonic() - began:6.1f}s  {line}", err=True)

    return say


admit_command = click.Command(
    "admit",
    callback=_admit,
    help=_HELP,
    short_help="Say whether a real API server admits the pods of a manifest or a chart.",
    params=[
        click.Argument(["source"], metavar="SOURCE"),
        click.Option(
            ["--psa"],
            multiple=True,
            metavar="LEVEL[@VERSION]",
            help="Pod Security level: privileged, baseline or restricted; baseline@v1.34 pins the policy version. "
            "Repeat for several. Default: all three, at the server's own version.",
        ),
        click.Option(["--values"], type=click.Path(path_type=Path), metavar="FILE", help="Values for a chart, YAML."),
        click.Option(
            ["--kubeconfig"],
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="Ask a cluster there is. It gets one labelled namespace a level, which is removed.",
        ),
        click.Option(["--context"], metavar="NAME", help="A context of that kubeconfig, or of your own."),
        click.Option(["--cluster"], metavar="PROVIDER", help="Stand a cluster up for it. Default: embedded."),
        click.Option(
            ["--kubernetes"],
            metavar="LINE",
            help=f"Kubernetes line of that cluster: {', '.join(KUBERNETES_LINES)}. Default: {DEFAULT_LINE}.",
        ),
        click.Option(["--json", "as_json"], is_flag=True, help="Print the answers as JSON."),
    ],
)
