"""`conformance doctor`: which gate a running builder installation fails first."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any, Final

import click

from conformance import doctor
from conformance.display import result_console
from conformance.doctor import Client, Diagnosis, Installation, Outcome, Pool, Reader, Tls
from conformance.errors import ApiError, ExitCode, UsageError
from conformance.kube import Json, Kube
from conformance.report import doctor as page

_HELP = """Examine a running BuildKit installation gate by gate, read-only, and name the first gate that it fails.

The gates, in order: rendered (what was asked for is there), endpoints (pods behind the Service are Ready), reachable
(a client gets an answer), mtls (the daemon lets in clients with a certificate and nobody else), platforms, scheduling.
Nothing is created, changed or deleted. The gates in the middle run `buildctl debug workers` in a pod that is there
already: name one where builds come from with --client, and with mTLS the files that it uses.

\b
Examples:
  conformance doctor --namespace buildkit --service buildkitd
  conformance doctor --namespace buildkit --service buildkitd --context staging \\
      --client-namespace arc-runners --client runner-abcde/runner \\
      --tls-ca /certs/ca.crt --tls-cert /certs/tls.crt --tls-key /certs/tls.key \\
      --platform linux/amd64 --platform linux/arm64 --pool example.com/pool=buildkit
  conformance doctor --namespace buildkit --service buildkitd --format json

\b
Exit codes:
  0    every gate passed
  1    a gate failed: its class, evidence and remedy are shown
  2    no gate failed but not all could be proven: the API does not answer, a right or a client is missing
  3    bad input
  130  interrupted
"""
_EXISTING: Final = "existing"
#: A DNS subdomain, as names of namespaces, Services and pods are (RFC 1123).
_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_LABEL: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?")
_ADDRESS: Final = re.compile(r"tcp://(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9.-]+):\d{1,5}")
_DEFAULT_CONTAINER: Final = "kubectl.kubernetes.io/default-container"


def _doctor(**values: Any) -> None:  # noqa: ANN401 - click hands over what the options list
    faults = list(_faults(values))
    if faults:
        raise UsageError(*faults)
    path = values["kubeconfig"] or Path(os.environ.get("KUBECONFIG") or "~/.kube/config").expanduser()
    with Kube(path, user_agent="doctor", context=values["context"]) as kube:
        server = kube.version()
        reader = Reader(kube)
        installation = Installation(
            reader=reader,
            namespace=values["namespace"],
            name=values["service"],
            port=values["port"],
            address=values["addr"] or _address(values),
            client=_client(reader, values),
            platforms=tuple(dict.fromkeys(doctor.normalise(each) for each in values["platform"])),
            pool=_pool(values["pool"]),
        )
        diagnosis = doctor.examine(installation, server=server)
    if values["format"] == "json":
        click.echo(diagnosis.model_dump_json(indent=2))
    else:
        page.show(diagnosis, result_console())
    sys.exit(int(_exit_code(diagnosis)))


def _faults(values: dict[str, Any]) -> list[str]:
    """Return what is wrong with the options, a sentence each."""
    faults = [
        f"--{option} {name}: this is no name in Kubernetes (lower case letters, digits, `-` and `.`)"
        for option in ("namespace", "service", "client_namespace")
        if (name := values[option]) is not None and not _NAME.fullmatch(name)
    ]
    faults = [fault.replace("client_namespace", "client-namespace") for fault in faults]
    if values["cluster"] not in {None, _EXISTING}:
        faults.append(f"--cluster {values['cluster']}: doctor looks at what runs already; it knows only `{_EXISTING}`")
    if values["kubeconfig"] is not None and not values["kubeconfig"].is_file():
        faults.append(f"--kubeconfig {values['kubeconfig']}: there is no such file")
    if values["addr"] and not _ADDRESS.fullmatch(values["addr"]):
        faults.append(f"--addr {values['addr']}: want tcp://HOST:PORT, as clients dial it")
    return [*faults, *_client_faults(values), *_wish_faults(values)]


def _client_faults(values: dict[str, Any]) -> list[str]:
    faults = []
    client, tls = values["client"], [values["tls_ca"], values["tls_cert"], values["tls_key"]]
    if client is None:
        if any((*tls, values["client_namespace"], values["tls_server_name"])):
            faults.append("--client-namespace and --tls-... are about a client: name its pod with --client")
    elif not all(_NAME.fullmatch(part) for part in client.split("/", 1)):
        faults.append(f"--client {client}: want POD or POD/CONTAINER")
    if bool(values["tls_cert"]) != bool(values["tls_key"]):
        faults.append("--tls-cert and --tls-key belong together: give both")
    if values["tls_ca"] is None and (values["tls_cert"] or values["tls_key"] or values["tls_server_name"]):
        faults.append("--tls-cert, --tls-key and --tls-server-name need --tls-ca, by which the client knows the daemon")
    return faults


def _wish_faults(values: dict[str, Any]) -> list[str]:
    faults = []
    for platform in values["platform"]:
        try:
            doctor.normalise(platform)
        except ValueError:
            faults.append(f"--platform {platform}: want OS/ARCHITECTURE[/VARIANT], e.g. linux/arm64")
    if values["pool"] is not None:
        label, equals, value = values["pool"].partition("=")
        if not equals or not _LABEL.fullmatch(label) or (value and not _LABEL.fullmatch(value)):
            faults.append(f"--pool {values['pool']}: want LABEL=VALUE, as in `kubectl get nodes -l LABEL=VALUE`")
    return faults


def _address(values: dict[str, Any]) -> str:
    return f"tcp://{values['service']}.{values['namespace']}.svc.cluster.local:{values['port']}"


def _pool(text: str | None) -> Pool | None:
    if text is None:
        return None
    label, _, value = text.partition("=")
    return Pool(label=label, value=value)


def _client(reader: Reader, values: dict[str, Any]) -> Client | None:
    """Return the client that was named. Raises UsageError where there is none that runs."""
    if values["client"] is None:
        return None
    name, _, container = values["client"].partition("/")
    namespace = values["client_namespace"] or values["namespace"]
    pod = reader.one_if_allowed(f"/api/v1/namespaces/{namespace}/pods/{name}")
    if pod is not None:
        container = _container(pod, container, f"{namespace}/{name}")
    elif not any(reader.take_missing()):
        raise UsageError(f"--client {name}: there is no such pod in namespace {namespace} (see --client-namespace)")
    elif not container:
        raise ApiError(
            f"which containers Pod/{namespace}/{name} has may not be read (get pods in namespace {namespace}): "
            "name the container too, --client POD/CONTAINER"
        )
    tls = None
    if values["tls_ca"]:
        tls = Tls(
            ca=values["tls_ca"],
            cert=values["tls_cert"] or "",
            key=values["tls_key"] or "",
            server_name=values["tls_server_name"] or "",
        )
    return Client(reader, namespace=namespace, pod=name, container=container, tls=tls)


def _container(pod: Json, asked: str, title: str) -> str:
    names = [each["name"] for each in pod["spec"]["containers"]]
    default = (pod["metadata"].get("annotations") or {}).get(_DEFAULT_CONTAINER, names[0])
    chosen = asked or default
    if chosen not in names:
        raise UsageError(f"--client {title}/{chosen}: the pod has no such container; it has {', '.join(names)}")
    statuses: list[Json] = (pod.get("status") or {}).get("containerStatuses") or []
    if not any(each["name"] == chosen and "running" in (each.get("state") or {}) for each in statuses):
        raise UsageError(f"--client {title}/{chosen}: the container does not run; name one that does")
    return str(chosen)


def _exit_code(diagnosis: Diagnosis) -> ExitCode:
    if diagnosis.first_failed is not None:
        return ExitCode.CLAIMS_BROKEN
    proven = all(each.outcome is Outcome.PASSED for each in diagnosis.gates)
    return ExitCode.AS_CLAIMED if proven else ExitCode.INFRASTRUCTURE


doctor_command = click.Command(
    "doctor",
    callback=_doctor,
    help=_HELP,
    short_help="Name the first gate that a running builder installation fails.",
    params=[
        click.Option(["--namespace"], required=True, metavar="NS", help="Where the daemon's Service is."),
        click.Option(["--service"], required=True, metavar="NAME", help="The Service that builds dial."),
        click.Option(
            ["--port"], type=click.IntRange(1, 65535), default=1234, show_default=True, help="The Service's port."
        ),
        click.Option(
            ["--addr"],
            metavar="tcp://HOST:PORT",
            help="The address that builds dial. Default: tcp://NAME.NS.svc.cluster.local:PORT.",
        ),
        click.Option(
            ["--client"],
            metavar="POD[/CONTAINER]",
            help="A running pod with buildctl, where builds come from. Without it three gates stay unproven.",
        ),
        click.Option(["--client-namespace"], metavar="NS", help="Where that pod is. Default: --namespace."),
        click.Option(["--tls-ca"], metavar="PATH", help="Inside the client: the CA of the daemon's certificate."),
        click.Option(["--tls-cert"], metavar="PATH", help="Inside the client: its own certificate."),
        click.Option(["--tls-key"], metavar="PATH", help="Inside the client: its certificate's key."),
        click.Option(
            ["--tls-server-name"],
            metavar="NAME",
            help="The name that the daemon's certificate is for. Default: the address' host.",
        ),
        click.Option(
            ["--platform"],
            multiple=True,
            metavar="OS/ARCH",
            help="A platform that builds need, e.g. linux/arm64. Repeat for several.",
        ),
        click.Option(
            ["--pool"],
            metavar="LABEL=VALUE",
            help="The label of the nodes that builders belong on. Without it any node will do.",
        ),
        click.Option(
            ["--kubeconfig"],
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="The cluster. Default: $KUBECONFIG, else ~/.kube/config.",
        ),
        click.Option(["--context"], metavar="NAME", help="A context of that kubeconfig. Default: its current one."),
        click.Option(["--cluster"], metavar="existing", help="Only `existing`: doctor never makes a cluster."),
        click.Option(
            ["--format"],
            type=click.Choice(["text", "json"]),
            default="text",
            show_default=True,
            help="What to print; JSON has the same, and what passing gates saw.",
        ),
    ],
)
