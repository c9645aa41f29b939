"""The harness' own certificates for a daemon and its client, each fault of them made on purpose.

Made in memory for one try of a cell and never written to a run's folder: keys are secrets.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from conformance.model import Tls

#: Names of the files, those of a Secret of type kubernetes.io/tls as cert-manager fills it.
CA_FILE: Final = "ca.crt"
CERTIFICATE_FILE: Final = "tls.crt"
KEY_FILE: Final = "tls.key"

#: A cell takes minutes; a node's clock that is a little behind must still accept.
_VALID: Final = dt.timedelta(hours=12)
_BACKDATED: Final = dt.timedelta(hours=1)
#: The name that a certificate bears which is for another server.
ELSEWHERE: Final = "elsewhere.invalid"

_NO_FILES: Final[Mapping[str, bytes]] = {}


@dataclass(frozen=True, kw_only=True, slots=True)
class Material:
    """What daemon and client are given: files by name, PEM. `repr` shows no content."""

    #: Empty: the daemon speaks no TLS.
    daemon: Mapping[str, bytes] = field(repr=False, default_factory=lambda: _NO_FILES)
    #: Empty: the client speaks no TLS.
    client: Mapping[str, bytes] = field(repr=False, default_factory=lambda: _NO_FILES)
    #: The files that the client is told to use, whether they are there or not.
    client_told: tuple[str, ...] = ()


class Authority:
    """A CA that lives as long as this object."""

    def __init__(self, name: str, now: dt.datetime) -> None:
        """Make its key and its certificate."""
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._now = now
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=True,
            crl_sign=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        certificate = (
            _dated(now, expired=False)
            .subject_name(self._name)
            .issuer_name(self._name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.certificate = certificate.public_bytes(serialization.Encoding.PEM)

    def server(self, name: str, *, expired: bool = False) -> dict[str, bytes]:
        """Return certificate and key for a server of this DNS name."""
        return self._issue(name, ExtendedKeyUsageOID.SERVER_AUTH, names=(name,), expired=expired)

    def client(self, name: str, *, expired: bool = False) -> dict[str, bytes]:
        """Return certificate and key for a client."""
        return self._issue(name, ExtendedKeyUsageOID.CLIENT_AUTH, names=(), expired=expired)

    def _issue(
        self, name: str, usage: x509.ObjectIdentifier, *, names: tuple[str, ...], expired: bool
    ) -> dict[str, bytes]:
        key = ec.generate_private_key(ec.SECP256R1())
        # A common name is at most 64 characters long (RFC 5280, appendix A.1); nothing reads it.
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name.partition(".")[0])])
        builder = (
            _dated(self._now, expired=expired)
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if names:
            found = x509.SubjectAlternativeName([x509.DNSName(each) for each in names])
            builder = builder.add_extension(found, critical=False)
        return {
            CERTIFICATE_FILE: builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM),
            KEY_FILE: key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
        }


def material(tls: Tls, server_name: str, now: dt.datetime) -> Material:
    """Return what both sides are given, right or with the one fault that is asked for."""
    ours, another = Authority("build-conformance", now), Authority("build-conformance-another", now)
    certified = ELSEWHERE if tls is Tls.WRONG_NAME else server_name
    daemon = {CA_FILE: ours.certificate, **ours.server(certified, expired=tls is Tls.SERVER_EXPIRED)}
    signer = another if tls is Tls.CLIENT_OF_ANOTHER_CA else ours
    trusted = another if tls is Tls.WRONG_CA else ours
    client = {CA_FILE: trusted.certificate, **signer.client("client", expired=tls is Tls.CLIENT_EXPIRED)}
    if tls is Tls.NO_CLIENT_CERTIFICATE:
        client = {CA_FILE: trusted.certificate}
    told = tuple(client)
    if tls is Tls.CLIENT_FILE_MISSING:
        del client[KEY_FILE]
    return Material(
        daemon={} if tls in {Tls.SERVER_PLAINTEXT, Tls.BOTH_PLAINTEXT} else daemon,
        client={} if tls in {Tls.CLIENT_PLAINTEXT, Tls.BOTH_PLAINTEXT} else client,
        client_told=() if tls in {Tls.CLIENT_PLAINTEXT, Tls.BOTH_PLAINTEXT} else told,
    )


def _dated(now: dt.datetime, *, expired: bool) -> x509.CertificateBuilder:
    start = now - _BACKDATED - (_VALID if expired else dt.timedelta())
    end = now - _BACKDATED / 2 if expired else now + _VALID
    return x509.CertificateBuilder().not_valid_before(start).not_valid_after(end)
