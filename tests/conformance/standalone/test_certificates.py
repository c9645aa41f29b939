"""Each fault makes certificates that OpenSSL refuses for the stated reason, and facts that say the same."""

from __future__ import annotations

import datetime as dt
import ssl
from pathlib import Path

import pytest
from cryptography import x509

from conformance.classify.connection import open_door, tls_fault
from conformance.model import ConnectionFacts, PolicyFacts, Tls
from conformance.standalone.certificates import CA_FILE, CERTIFICATE_FILE, KEY_FILE, Material, material
from conformance.standalone.inspection import inspect

NAME = "buildkitd.cell.svc.cluster.local"
NOW = dt.datetime.now(dt.UTC)

#: Whose side refuses, and in OpenSSL's words why.
REFUSED = {
    # The daemon sends its CA along, which the client does not know.
    Tls.WRONG_CA: ("client", "self-signed certificate in certificate chain"),
    Tls.WRONG_NAME: ("client", "Hostname mismatch"),
    Tls.SERVER_EXPIRED: ("client", "certificate has expired"),
    Tls.NO_CLIENT_CERTIFICATE: ("daemon", "peer did not return a certificate"),
    Tls.CLIENT_OF_ANOTHER_CA: ("daemon", "unable to get local issuer certificate"),
    Tls.CLIENT_EXPIRED: ("daemon", "certificate has expired"),
}
CLASSES = {
    Tls.VALID: None,
    Tls.WRONG_CA: "mtls-untrusted-ca",
    Tls.WRONG_NAME: "mtls-server-name-mismatch",
    Tls.NO_CLIENT_CERTIFICATE: "mtls-bad-certificate",
    Tls.CLIENT_OF_ANOTHER_CA: "mtls-bad-certificate",
    Tls.CLIENT_EXPIRED: "mtls-client-cert-expired",
    Tls.SERVER_EXPIRED: "mtls-server-cert-expired",
    Tls.CLIENT_PLAINTEXT: "mtls-client-plaintext",
    Tls.SERVER_PLAINTEXT: "mtls-plaintext-server",
    Tls.BOTH_PLAINTEXT: None,
    Tls.CLIENT_FILE_MISSING: "mtls-file-missing",
}


class Side:
    """One end of a handshake in memory."""

    def __init__(self, context: ssl.SSLContext, *, server: bool) -> None:
        self.inbox, self.outbox = ssl.MemoryBIO(), ssl.MemoryBIO()
        name = None if server else NAME
        self._tls = context.wrap_bio(self.inbox, self.outbox, server_side=server, server_hostname=name)
        self.done = False

    def step(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return
        self.done = True


def handshake(given: Material, folder: Path) -> tuple[str, str] | None:
    """Return who refuses and why, None when daemon and client agree."""
    sides = {"client": _client(given, folder), "daemon": _daemon(given, folder)}
    other = {"client": "daemon", "daemon": "client"}
    for _ in range(6):
        for name, side in sides.items():
            try:
                side.step()
            except ssl.SSLError as error:
                return name, str(error)
            sides[other[name]].inbox.write(side.outbox.read())
    assert all(side.done for side in sides.values())
    return None


def _client(given: Material, folder: Path) -> Side:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=given.client[CA_FILE].decode())
    if CERTIFICATE_FILE in given.client:
        context.load_cert_chain(*_pair(given.client[CERTIFICATE_FILE], given.client[KEY_FILE], folder / "client"))
    return Side(context, server=False)


def _daemon(given: Material, folder: Path) -> Side:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=given.daemon[CA_FILE].decode())
    context.load_cert_chain(*_pair(given.daemon[CERTIFICATE_FILE], given.daemon[KEY_FILE], folder / "daemon"))
    return Side(context, server=True)


def _pair(certificate: bytes, key: bytes, folder: Path) -> tuple[Path, Path]:
    folder.mkdir()
    (folder / CERTIFICATE_FILE).write_bytes(certificate)
    (folder / KEY_FILE).write_bytes(key)
    return folder / CERTIFICATE_FILE, folder / KEY_FILE


def test_right_certificates_agree(tmp_path: Path) -> None:
    assert handshake(material(Tls.VALID, NAME, NOW), tmp_path) is None


@pytest.mark.parametrize("tls", REFUSED)
def test_each_fault_is_refused_by_the_side_and_for_the_reason_it_stands_for(tls: Tls, tmp_path: Path) -> None:
    refused = handshake(material(tls, NAME, NOW), tmp_path)
    side, reason = REFUSED[tls]
    assert refused is not None
    assert refused[0] == side
    assert reason.lower() in refused[1].lower().replace("_", " ")


@pytest.mark.parametrize("tls", Tls)
def test_the_facts_of_each_fault_make_its_class_certain(tls: Tls) -> None:
    facts = inspect(material(tls, NAME, NOW), NAME, NOW)
    fault = tls_fault(facts)
    assert (fault.class_ if fault else None) == CLASSES[tls]


@pytest.mark.parametrize("tls", Tls)
def test_only_a_daemon_without_tls_is_an_open_door(tls: Tls) -> None:
    facts = inspect(material(tls, NAME, NOW), NAME, NOW)
    door = open_door(ConnectionFacts(tls=facts, policy=PolicyFacts(enforced=False)))
    assert (door is not None) is (tls in {Tls.SERVER_PLAINTEXT, Tls.BOTH_PLAINTEXT})


def test_a_client_whose_key_is_missing_is_still_told_to_read_it() -> None:
    given = material(Tls.CLIENT_FILE_MISSING, NAME, NOW)
    assert KEY_FILE in given.client_told
    assert KEY_FILE not in given.client
    assert inspect(given, NAME, NOW).missing_files == (KEY_FILE,)


def test_certificates_live_for_hours_not_days() -> None:
    given = material(Tls.VALID, NAME, NOW)
    for files in (given.daemon, given.client):
        for name in (CA_FILE, CERTIFICATE_FILE):
            certificate = x509.load_pem_x509_certificate(files[name])
            assert certificate.not_valid_after_utc - certificate.not_valid_before_utc < dt.timedelta(days=1)


def test_what_was_made_shows_no_key_when_it_is_printed() -> None:
    assert "PRIVATE" not in repr(material(Tls.VALID, NAME, NOW))


def test_facts_hold_no_key() -> None:
    assert "KEY" not in inspect(material(Tls.VALID, NAME, NOW), NAME, NOW).model_dump_json()
