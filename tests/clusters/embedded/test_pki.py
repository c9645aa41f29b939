from __future__ import annotations

import base64
import datetime as dt
import ipaddress
import stat
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import PolicyBuilder, Store

from clusters.embedded import kubeconfigs, pki


@pytest.fixture(scope="module")
def made() -> pki.Pki:
    return pki.issue(pki.identities("node-1", "10.203.0.2"))


def certificate(made: pki.Pki, who: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(made.pairs[who].certificate)


def name(found: x509.Certificate, attribute: x509.ObjectIdentifier) -> list[str | bytes]:
    return [part.value for part in found.subject.get_attributes_for_oid(attribute)]


@pytest.mark.parametrize(
    ("who", "user", "groups"),
    [
        ("admin", "kubernetes-admin", ["system:masters"]),
        ("kubelet", "system:node:node-1", ["system:nodes"]),
        ("controller-manager", "system:kube-controller-manager", []),
        ("scheduler", "system:kube-scheduler", []),
        ("kube-proxy", "system:kube-proxy", []),
        ("coredns", "system:coredns", []),
        ("apiserver-kubelet-client", "kube-apiserver-kubelet-client", []),
    ],
)
def test_each_client_has_its_own_identity_and_no_more_groups_than_it_needs(
    made: pki.Pki, who: str, user: str, groups: list[str]
) -> None:
    found = certificate(made, who)
    assert name(found, NameOID.COMMON_NAME) == [user]
    assert name(found, NameOID.ORGANIZATION_NAME) == groups
    usage = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_the_servers_certificates_hold_for_the_names_they_are_reached_by(made: pki.Pki) -> None:
    for who, subject in (
        ("apiserver", x509.DNSName("kubernetes.default.svc")),
        ("apiserver", x509.IPAddress(ipaddress.ip_address("10.203.0.2"))),
        ("apiserver", x509.IPAddress(ipaddress.ip_address("10.96.0.1"))),
        ("apiserver", x509.IPAddress(ipaddress.ip_address("127.0.0.1"))),
        ("kubelet-server", x509.IPAddress(ipaddress.ip_address("10.203.0.2"))),
    ):
        names = certificate(made, who).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert subject in list(names)


@pytest.mark.parametrize("subject", ["localhost", "kubernetes", "kubernetes.default.svc.cluster.local"])
def test_a_strict_client_that_knows_only_the_authority_accepts_the_api_server(made: pki.Pki, subject: str) -> None:
    store = Store([x509.load_pem_x509_certificate(made.ca)])
    verifier = PolicyBuilder().store(store).build_server_verifier(x509.DNSName(subject))
    assert verifier.verify(certificate(made, "apiserver"), [])


def test_every_certificate_is_signed_by_the_authority_and_valid_now(made: pki.Pki) -> None:
    ca = x509.load_pem_x509_certificate(made.ca)
    now = dt.datetime.now(dt.UTC)
    for who in made.pairs:
        found = certificate(made, who)
        found.verify_directly_issued_by(ca)
        assert found.not_valid_before_utc < now - dt.timedelta(minutes=30)
        assert found.not_valid_after_utc > now + dt.timedelta(days=2)
        assert not found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_keys_fit_their_certificates_and_differ(made: pki.Pki) -> None:
    publics = set()
    for who, pair in made.pairs.items():
        key = serialization.load_pem_private_key(pair.key, None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        assert key.public_key() == certificate(made, who).public_key()
        publics.add(pair.key)
    assert len(publics) == len(made.pairs)


def test_only_the_owner_can_read_private_keys(made: pki.Pki, tmp_path: Path) -> None:
    pki.write(made, tmp_path)
    keys = list(tmp_path.glob("*.key"))
    assert len(keys) == len(made.pairs) + 1
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}
    assert (tmp_path / "ca.crt").read_bytes() == made.ca
    assert not list(tmp_path.glob("ca.key"))


def test_a_kubeconfig_stands_alone_and_is_its_owners(made: pki.Pki, tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.touch(0o644)
    path.unlink()
    kubeconfigs.write(kubeconfigs.render(made, "admin", server="https://10.203.0.2:6443", cluster="one"), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    content = yaml.safe_load(path.read_text())
    assert content["clusters"][0]["cluster"]["server"] == "https://10.203.0.2:6443"
    assert base64.b64decode(content["users"][0]["user"]["client-key-data"]) == made.pairs["admin"].key
    assert str(tmp_path) not in path.read_text()
    context = next(context for context in content["contexts"] if context["name"] == content["current-context"])
    assert context["context"] == {"cluster": "one", "user": "admin"}
