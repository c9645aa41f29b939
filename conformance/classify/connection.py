"""What is known beforehand of the way to a daemon settles texts that several faults share, such as "broken pipe"."""

from __future__ import annotations

from typing import Final, NamedTuple

from conformance.model import ConnectionFacts, ContainerStatus, Observation, TlsFacts

#: Every class that a fault of certificates can have.
TLS_CLASSES: Final = frozenset(
    {
        "mtls-untrusted-ca",
        "mtls-server-name-mismatch",
        "mtls-server-cert-expired",
        "mtls-client-cert-expired",
        "mtls-bad-certificate",
        "mtls-plaintext-server",
        "mtls-client-plaintext",
        "mtls-file-missing",
    }
)
#: Those whose texts other faults share: a daemon that hangs up in the middle of a handshake is all that its client
#: sees, or an alert that older daemons give for every reason.
SHARED: Final = frozenset(
    {
        "mtls-bad-certificate",
        "mtls-client-plaintext",
        "buildkitd-unavailable",
        "buildkitd-connection-closed",
        "buildkitd-bad-protocol",
    }
)
#: Those that a policy's refusal looks like: some networks reject, others drop.
SILENT: Final = frozenset({"buildkitd-conn-refused", "buildkitd-conn-timeout"})

DENIED: Final = "buildkitd-policy-denied"
OPEN_DOOR: Final = "buildkitd-no-authentication"


class Fault(NamedTuple):
    """A class, and the fact that makes it certain."""

    class_: str
    reason: str


def tls_fault(tls: TlsFacts) -> Fault | None:
    """Return why the handshake must fail, None when nothing speaks against it.

    In the order of a handshake: the client reads its files and judges the daemon's certificate before it shows its own
    (RFC 8446, section 2). Of a certificate its dates come first, then its name, then its signature (crypto/x509,
    Verify).
    """
    if tls.missing_files:
        return Fault("mtls-file-missing", f"the client is told to read {', '.join(tls.missing_files)}: not there")
    if tls.client_speaks_tls and tls.daemon is None:
        return Fault("mtls-plaintext-server", "the client was given certificates and the daemon none")
    if tls.daemon is None:
        return None
    if not tls.client_speaks_tls:
        return Fault("mtls-client-plaintext", "the daemon was given certificates and the client none")
    return _of_daemon(tls) or _of_client(tls)


def _of_daemon(tls: TlsFacts) -> Fault | None:
    daemon = tls.daemon
    if daemon is None:
        return None
    if not daemon.in_force:
        span = f"from {daemon.not_before} to {daemon.not_after}"
        return Fault("mtls-server-cert-expired", f"the daemon's certificate is valid {span}, and it was {tls.checked}")
    if not tls.name_matches:
        names = ", ".join(daemon.names) or "no name"
        return Fault("mtls-server-name-mismatch", f"the daemon's certificate is for {names}, not {tls.server_name}")
    if not daemon.trusted:
        return Fault("mtls-untrusted-ca", "the daemon's certificate is not signed by the CA that the client trusts")
    return None


def _of_client(tls: TlsFacts) -> Fault | None:
    if not tls.asks_client:
        return None
    if tls.client is None:
        return Fault("mtls-bad-certificate", "the client has no certificate and the daemon asks for one")
    if not tls.client.in_force:
        span = f"from {tls.client.not_before} to {tls.client.not_after}"
        return Fault("mtls-client-cert-expired", f"the client's certificate is valid {span}, and it was {tls.checked}")
    if not tls.client.trusted:
        return Fault("mtls-bad-certificate", "the client's certificate is not signed by the CA that the daemon trusts")
    return None


def open_door(connection: ConnectionFacts | None) -> Fault | None:
    """Return that a daemon which answers lets in everybody who reaches it, None when it asks for a certificate."""
    if connection is None or connection.tls.asks_client:
        return None
    how = "speaks no TLS" if connection.tls.daemon is None else "was given no CA to judge clients by"
    return Fault(OPEN_DOOR, f"the daemon listens on a Service and {how}")


def policy_fault(observation: Observation) -> Fault | None:
    """Return that a policy keeps the client out: it is enforced, it does not name the client, the daemon is ready."""
    connection = observation.connection
    if connection is None or not connection.policy.enforced or connection.policy.admits_client:
        return None
    if not any(_is_ready(each, observation) for pod in observation.pods for each in pod.containers):
        return None
    names = ", ".join(connection.policy.selecting)
    return Fault(DENIED, f"NetworkPolicy {names} selects the daemon and does not name the client; the daemon is ready")


def fault_behind(class_: str, observation: Observation) -> Fault | None:
    """Return what must be behind a class that was read from a text, None when the facts do not say."""
    if observation.connection is None:
        return None
    if class_ in SILENT:
        return policy_fault(observation)
    if class_ in SHARED | TLS_CLASSES:
        return tls_fault(observation.connection.tls)
    return None


def _is_ready(container: ContainerStatus, observation: Observation) -> bool:
    return container.name == observation.builder_container and container.ready
