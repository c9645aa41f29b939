"""Read what daemon and client were given as the other side will: the facts by which a refusal is judged."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from conformance.model import CertificateFacts, TlsFacts
from conformance.standalone.certificates import CA_FILE, CERTIFICATE_FILE, Material


def inspect(material: Material, server_name: str, now: dt.datetime) -> TlsFacts:
    """Return the facts of what was made, whatever was meant to be made."""
    daemon = _facts(material.daemon, material.client.get(CA_FILE), now)
    return TlsFacts(
        checked=_said(now),
        server_name=server_name,
        daemon=daemon,
        name_matches=daemon is not None and server_name in daemon.names,
        asks_client=CA_FILE in material.daemon,
        client_speaks_tls=bool(material.client_told),
        client=_facts(material.client, material.daemon.get(CA_FILE), now),
        missing_files=tuple(name for name in material.client_told if name not in material.client),
    )


def _facts(files: Mapping[str, bytes], judged_by: bytes | None, now: dt.datetime) -> CertificateFacts | None:
    if CERTIFICATE_FILE not in files:
        return None
    certificate = x509.load_pem_x509_certificate(files[CERTIFICATE_FILE])
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return CertificateFacts(
        names=_names(certificate),
        not_before=_said(start),
        not_after=_said(end),
        in_force=start <= now <= end,
        trusted=judged_by is not None and _is_issued_by(certificate, x509.load_pem_x509_certificate(judged_by)),
    )


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(found.get_values_for_type(x509.DNSName))


def _is_issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (InvalidSignature, ValueError, TypeError):
        # The last two: another issuer's name, another kind of key.
        return False
    return True


def _said(when: dt.datetime) -> str:
    return when.astimezone(dt.UTC).isoformat(timespec="seconds")
