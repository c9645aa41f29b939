"""What is known of the way from a client to a daemon in other pods, checked beforehand. Facts, never keys."""

from __future__ import annotations

from conformance.model.record import Record


class CertificateFacts(Record):
    """A certificate as the other side will judge it."""

    #: Its DNS names and addresses (SAN).
    names: tuple[str, ...] = ()
    #: ISO 8601, UTC.
    not_before: str
    not_after: str
    #: Whether it was in force when it was checked.
    in_force: bool
    #: Whether its signature is that of the CA which the other side was given.
    trusted: bool


class TlsFacts(Record):
    """What daemon and client were given; a side without certificates may still speak TLS, or none at all."""

    #: When it was checked, ISO 8601, UTC.
    checked: str
    #: The name that the client asks the daemon's certificate for.
    server_name: str
    #: The daemon's certificate; None: it speaks no TLS.
    daemon: CertificateFacts | None = None
    #: Whether `server_name` is among its names.
    name_matches: bool = False
    #: Whether the daemon was given a CA, by which it lets in only those who show a certificate of it.
    asks_client: bool = False
    client_speaks_tls: bool = False
    #: The client's certificate; None: it has none.
    client: CertificateFacts | None = None
    #: Files that the client is told to read and that are not there.
    missing_files: tuple[str, ...] = ()


class PolicyFacts(Record):
    """What NetworkPolicies say of a connection from the client to the daemon."""

    #: Whether the cluster enforces NetworkPolicies, by its provider's own check.
    enforced: bool
    #: The policies that select the daemon's pods for ingress, by name.
    selecting: tuple[str, ...] = ()
    #: Whether one of them admits the client's namespace and pod; without any, everybody is.
    admits_client: bool = True


class ConnectionFacts(Record):
    """Both."""

    tls: TlsFacts
    policy: PolicyFacts
