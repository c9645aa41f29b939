"""A cluster's certificates: one authority, a certificate for each who serves or asks, and the service account key.

Elliptic curve P-256, made in memory and written once. Names and groups are those that Kubernetes' own RBAC
bootstrap roles are bound to (https://kubernetes.io/docs/setup/best-practices/certificates/).
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from clusters.embedded.addresses import API_SERVICE_IP, CLUSTER_DOMAIN

#: Clusters live for hours; a clock that is a little behind must still accept.
VALID_DAYS: Final = 30
BACKDATED_HOURS: Final = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """Who a certificate is for: a user or server name, its group, and the names and addresses it serves under."""

    user: str
    group: str = ""
    serves: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """A certificate and its private key, PEM."""

    certificate: bytes
    key: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Pki:
    """Everything that was made: the authority's certificate, a pair for each identity, the service account key pair."""

    ca: bytes
    pairs: Mapping[str, Pair]
    service_account_key: bytes
    service_account_public: bytes


def identities(node: str, node_ip: str) -> dict[str, Identity]:
    """Return who needs a certificate in a cluster of one node."""
    api_names = (
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        f"kubernetes.default.svc.{CLUSTER_DOMAIN}",
    )
    return {
        "apiserver": Identity(
            user="kube-apiserver", serves=("localhost", *api_names, "127.0.0.1", node_ip, API_SERVICE_IP)
        ),
        "apiserver-kubelet-client": Identity(user="kube-apiserver-kubelet-client"),
        "kubelet-server": Identity(user=f"system:node:{node}", serves=(node, node_ip, "127.0.0.1")),
        "kubelet": Identity(user=f"system:node:{node}", group="system:nodes"),
        "admin": Identity(user="kubernetes-admin", group="system:masters"),
        "controller-manager": Identity(user="system:kube-controller-manager"),
        "scheduler": Identity(user="system:kube-scheduler"),
        "kube-proxy": Identity(user="system:kube-proxy"),
        "coredns": Identity(user="system:coredns"),
    }


def issue(wanted: Mapping[str, Identity]) -> Pki:
    """Make an authority and, signed by it, a certificate for each identity."""
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "build-conformance")])
    ca = (
        _builder(ca_name, ca_key, issuer=ca_name, issuer_key=ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(is_ca=True), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    account_key = ec.generate_private_key(ec.SECP256R1())
    return Pki(
        ca=ca.public_bytes(serialization.Encoding.PEM),
        pairs={name: _issue_one(identity, ca, ca_key) for name, identity in wanted.items()},
        service_account_key=_private(account_key),
        service_account_public=account_key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
    )


def write(pki: Pki, folder: Path) -> None:
    """Write `ca.crt`, `NAME.crt`, `NAME.key`, `sa.key`, `sa.pub`; private keys readable by their owner alone."""
    files = {"ca.crt": pki.ca, "sa.pub": pki.service_account_public, "sa.key": pki.service_account_key}
    for name, pair in pki.pairs.items():
        files |= {f"{name}.crt": pair.certificate, f"{name}.key": pair.key}
    for file, content in files.items():
        descriptor = os.open(
            folder / file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if file.endswith("key") else 0o644
        )
        with os.fdopen(descriptor, "wb") as sink:
            sink.write(content)


def _issue_one(identity: Identity, ca: x509.Certificate, ca_key: ec.EllipticCurvePrivateKey) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, identity.user)]
    if identity.group:
        attributes.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, identity.group))
    purpose = ExtendedKeyUsageOID.SERVER_AUTH if identity.serves else ExtendedKeyUsageOID.CLIENT_AUTH
    builder = (
        _builder(x509.Name(attributes), key, issuer=ca.subject, issuer_key=ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(is_ca=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    )
    if identity.serves:
        names = [_general_name(name) for name in identity.serves]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    certificate = builder.sign(ca_key, hashes.SHA256())
    return Pair(certificate=certificate.public_bytes(serialization.Encoding.PEM), key=_private(key))


def _builder(
    subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, issuer: x509.Name, issuer_key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
        .not_valid_before(now - dt.timedelta(hours=BACKDATED_HOURS))
        .not_valid_after(now + dt.timedelta(days=VALID_DAYS))
    )


def _usage(*, is_ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
