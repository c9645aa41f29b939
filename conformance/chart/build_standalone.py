"""The adapter of our own chart, charts/build-standalone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from clusters.provider import Image, ImageRole
from conformance.chart.images import reference
from conformance.model import Builder, Tls, Topology
from conformance.standalone import client
from conformance.standalone.certificates import CA_FILE, CERTIFICATE_FILE, KEY_FILE
from conformance.standalone.names import DAEMON, PORT, SERVER_SECRET, server_name

#: The group of the volumes, the daemon's socket and its key.
GROUP: Final = 1000
_SUBORDINATE_IDS: Final = ("/etc/subuid", "/etc/subgid")
_PLAIN_DAEMONS: Final = frozenset({Tls.SERVER_PLAINTEXT, Tls.BOTH_PLAINTEXT})
_PLAIN_CLIENTS: Final = frozenset({Tls.CLIENT_PLAINTEXT, Tls.BOTH_PLAINTEXT})


class BuildStandalone:
    """Says a builder in the values of charts/build-standalone."""

    topology = Topology.STANDALONE
    builder_container = DAEMON
    client_container = client.CONTAINER

    def values(self, builder: Builder, images: Mapping[ImageRole, Image], registry: str) -> dict[str, Any]:
        """Return the values; all that a builder says is set, so that the chart's defaults change no verdict."""
        said = builder.standalone
        pod: dict[str, Any] = {
            "securityContext": {"fsGroup": GROUP, **builder.pod_security_context},
            # Nothing that a cell builds is worth waiting for when it ends.
            "terminationGracePeriodSeconds": 1,
        }
        if builder.host_users is not None:
            pod["hostUsers"] = builder.host_users
        with_tls = said.tls not in _PLAIN_DAEMONS
        return {
            "fullnameOverride": DAEMON,
            "kind": str(said.kind),
            "replicas": said.replicas,
            "service": {"port": PORT},
            "tls": {"enabled": with_tls, "secretName": SERVER_SECRET if with_tls else ""},
            "builder": {
                "image": reference(images, builder.image),
                "args": list(builder.args),
                "env": [{"name": name, "value": value} for name, value in builder.environment.items()],
                "stateDirectory": builder.state_directory,
                "files": _files(builder),
                # The Service leads to a daemon once it is Ready, and cells wait for that.
                "readinessProbe": {"enabled": True, "periodSeconds": 2},
                "securityContext": builder.security_context,
            },
            "config": {"registries": {registry: {"http": True}}},
            "storage": _storage(builder),
            "podDisruptionBudget": {"enabled": said.pod_disruption_budget},
            "networkPolicy": {
                "enabled": said.network_policy,
                "sameNamespace": True,
                "allowedNamespaces": [client.ALLOWED],
            },
            "pod": {"spec": pod},
        }

    def connection(self, builder: Builder, namespace: str) -> tuple[str, ...]:
        """Return the address and, where the client speaks TLS, what it is to use."""
        address = f"--addr=tcp://{server_name(namespace)}:{PORT}"
        tls = builder.standalone.tls
        if tls in _PLAIN_CLIENTS:
            return (address,)
        flags = [f"--tlsservername={server_name(namespace)}", f"--tlscacert={client.DIRECTORY}/{CA_FILE}"]
        if tls is not Tls.NO_CLIENT_CERTIFICATE:
            flags += [
                f"--tlscert={client.DIRECTORY}/{CERTIFICATE_FILE}",
                f"--tlskey={client.DIRECTORY}/{KEY_FILE}",
            ]
        return (address, *flags)

    def post_renderer(self, builder: Builder, *, registry: str, release: str) -> Sequence[str]:  # noqa: ARG002 - protocol
        """Return nothing: the chart has a value for everything."""
        return ()


def _storage(builder: Builder) -> dict[str, Any]:
    if builder.standalone.storage:
        return {"enabled": True, "size": builder.standalone.storage}
    limit = {"sizeLimit": builder.state_limit} if builder.state_limit else {}
    return {"enabled": False, "emptyDir": limit}


def _files(builder: Builder) -> dict[str, str]:
    ids = dict.fromkeys(_SUBORDINATE_IDS, f"{builder.subordinate_ids}\n") if builder.subordinate_ids else {}
    return {**builder.files, **ids}
