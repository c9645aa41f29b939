"""How long certificates are valid is read from the Secrets that daemon and client mount."""

from __future__ import annotations

import datetime as dt

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from conformance.doctor import Diagnosis
from tests.conformance.doctor.site import Site


def certificate(days: float) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(x509.Name([]))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=90))
        .not_valid_after(now + dt.timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


def notes(diagnosis: Diagnosis) -> str:
    return "\n".join(next(each for each in diagnosis.gates if each.gate == "mtls").notes)


def test_an_expired_certificate_of_the_daemon_fails_mtls_before_anybody_calls() -> None:
    site = Site()
    site.secret("server", "tls.crt", certificate(-1))
    diagnosis = site.examine(asked_from=False)
    assert diagnosis.first_failed == "mtls"
    report = diagnosis.gates[3]
    assert report.failure_class == "mtls-server-cert-expired"
    assert "Secret kit/server, tls.crt" in report.says


def test_an_expired_certificate_of_the_client_has_its_own_class() -> None:
    site = Site()
    volumes = [
        {
            "name": "x",
            "projected": {"sources": [{"secret": {"name": "mine", "items": [{"key": "a", "path": "tls.crt"}]}}]},
        }
    ]
    container = {"name": "c", "volumeMounts": [{"name": "x", "mountPath": "/certs"}]}
    site.objects["/api/v1/namespaces/runners/pods/r"] = {"spec": {"containers": [container], "volumes": volumes}}
    site.secret("mine", "a", certificate(-1))
    site.objects["/api/v1/namespaces/runners/secrets/mine"] = site.objects.pop("/api/v1/namespaces/kit/secrets/mine")
    assert site.examine().gates[3].failure_class == "mtls-client-cert-expired"


def test_a_certificate_that_ends_soon_is_remarked_and_one_that_does_not_is_only_told() -> None:
    site = Site()
    site.secret("server", "tls.crt", certificate(5))
    assert "which is soon" in notes(site.examine())
    site.secret("server", "tls.crt", certificate(60))
    seen = site.examine()
    assert seen.first_failed is None
    assert "the daemon's certificate" in notes(seen)
    assert "which is soon" not in notes(seen)


def test_without_the_right_to_read_secrets_the_handshake_is_what_proves_them() -> None:
    site = Site()
    site.denied["/api/v1/namespaces/kit/secrets/server"] = (
        'get resource "secrets" in API group "" in the namespace "kit"'
    )
    seen = site.examine()
    assert seen.first_failed is None
    assert seen.gates[3].outcome == "passed"
    assert "get secrets in namespace kit" in notes(seen)
    assert "the handshake proves" in notes(seen)
