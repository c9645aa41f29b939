"""What is known beforehand of certificates and policies settles texts that several faults share."""

from __future__ import annotations

import pytest

from conformance.classify import classify, decided_early
from conformance.model import (
    CertificateFacts,
    ConnectionFacts,
    Observation,
    PolicyFacts,
    SourceKind,
    Stage,
    TlsFacts,
)
from tests.conformance.classify.observations import container, observation, pod, source

PIPE = "error: failed to list workers: Unavailable: write tcp 10.0.0.1:40674->10.96.0.61:1234: write: broken pipe"
RESET = (
    "error: failed to list workers: Unavailable: write tcp 10.0.0.1:1->10.0.0.2:1234: write: connection reset by peer"
)
REQUIRED = (
    'error: failed to list workers: Unavailable: connection error: desc = "error reading server preface: '
    'remote error: tls: certificate required"'
)
OLD_ALERT = REQUIRED.replace("certificate required", "bad certificate")
EXPIRED = REQUIRED.replace("certificate required", "expired certificate")
PREFACE = 'error: failed to list workers: Unavailable: connection error: desc = "error reading server preface: EOF"'
HANDSHAKE = (
    'error: failed to list workers: Unavailable: connection error: desc = "transport: authentication handshake '
    "failed: tls: failed to verify certificate: x509: "
)
UNKNOWN_CA = HANDSHAKE + 'certificate signed by unknown authority"'
DEAD_SERVER = HANDSHAKE + 'certificate has expired or is not yet valid: current time A is after B"'
NO_TLS = HANDSHAKE.partition("tls:")[0] + 'tls: first record does not look like a TLS handshake"'
REFUSED = (
    'error: failed to list workers: Unavailable: connection error: desc = "transport: Error while dialing: '
    'dial tcp 10.96.0.61:1234: connect: connection refused"'
)
TIMEOUT = REFUSED.replace("connect: connection refused", "i/o timeout")
NO_FILE = "error: could not read certificate/key: open /certs/tls.key: no such file or directory"
UNGUARDED = (
    'level=warning msg="TLS is not enabled for tcp://0.0.0.0:1234. enabling mutual TLS authentication is highly"'
)

GOOD = CertificateFacts(names=("d",), not_before="a", not_after="b", in_force=True, trusted=True)
OVER = GOOD.model_copy(update={"in_force": False})
STRANGE = GOOD.model_copy(update={"trusted": False})
READY = pod(container(ready=True))


def tls(**changes: object) -> TlsFacts:
    values = {
        "checked": "now",
        "server_name": "d",
        "daemon": GOOD,
        "name_matches": True,
        "asks_client": True,
        "client_speaks_tls": True,
        "client": GOOD,
    }
    return TlsFacts.model_validate(values | changes)


NO_CLIENT = tls(client=None)
PLAIN_CLIENT = tls(client=None, client_speaks_tls=False)
PLAIN_DAEMON = tls(daemon=None, asks_client=False, name_matches=False)
PLAIN = tls(daemon=None, asks_client=False, client=None, client_speaks_tls=False)
SHUT = PolicyFacts(enforced=True, selecting=("p",), admits_client=False)
OPEN = PolicyFacts(enforced=True, selecting=("p",), admits_client=True)


def seen(text: str, facts: TlsFacts | None, policy: PolicyFacts = OPEN, **changes: object) -> Observation:
    known = ConnectionFacts(tls=facts, policy=policy) if facts is not None else None
    build = source(text, SourceKind.BUILD, "build/ready.txt", Stage.READY)
    return observation(Stage.READY, build, **({"connection": known, "pods": (READY,)} | changes))


@pytest.mark.parametrize(
    ("text", "facts", "class_"),
    [
        # One text, three causes.
        (PIPE, NO_CLIENT, "mtls-bad-certificate"),
        (PIPE, tls(client=STRANGE), "mtls-bad-certificate"),
        (PIPE, tls(client=OVER), "mtls-client-cert-expired"),
        (RESET, NO_CLIENT, "mtls-bad-certificate"),
        (REQUIRED, NO_CLIENT, "mtls-bad-certificate"),
        # What daemons built with an older Go say of every certificate.
        (OLD_ALERT, tls(client=OVER), "mtls-client-cert-expired"),
        (EXPIRED, tls(client=OVER), "mtls-client-cert-expired"),
        (PREFACE, PLAIN_CLIENT, "mtls-client-plaintext"),
        (UNKNOWN_CA, tls(daemon=STRANGE), "mtls-untrusted-ca"),
        (DEAD_SERVER, tls(daemon=OVER), "mtls-server-cert-expired"),
        (NO_TLS, PLAIN_DAEMON, "mtls-plaintext-server"),
        (NO_FILE, tls(missing_files=("tls.key",)), "mtls-file-missing"),
    ],
)
def test_certificates_settle_what_the_client_saw(text: str, facts: TlsFacts, class_: str) -> None:
    finding = classify(seen(text, facts))
    assert (finding.class_, finding.decisive, finding.candidates) == (class_, True, ())
    assert "checked beforehand" in finding.evidence[-1].text


def test_a_broken_pipe_between_right_certificates_stays_open() -> None:
    finding = classify(seen(PIPE, tls()))
    assert finding.decisive is False


def test_without_facts_a_broken_pipe_stays_open() -> None:
    finding = classify(seen(PIPE, None))
    assert (finding.class_, finding.decisive) == ("mtls-bad-certificate", False)
    assert "mtls-client-cert-expired" in finding.candidates


def test_a_text_that_names_another_cause_than_the_certificates_have_is_not_believed_alone() -> None:
    finding = classify(seen(UNKNOWN_CA, tls(daemon=OVER)))
    assert finding.decisive is False
    assert {finding.class_, *finding.candidates} >= {"mtls-untrusted-ca", "mtls-server-cert-expired"}


@pytest.mark.parametrize("text", [REFUSED, TIMEOUT])
def test_an_enforced_policy_that_does_not_name_the_client_is_why_a_ready_daemon_is_silent(text: str) -> None:
    finding = classify(seen(text, tls(), SHUT))
    assert (finding.class_, finding.decisive) == ("buildkitd-policy-denied", True)
    assert "NetworkPolicy p" in finding.evidence[-1].text


@pytest.mark.parametrize(
    ("policy", "pods"),
    [
        (OPEN, (READY,)),
        (SHUT.model_copy(update={"enforced": False}), (READY,)),
        (SHUT, (pod(container(ready=False)),)),
    ],
)
def test_a_policy_is_not_blamed_without_proof(policy: PolicyFacts, pods: tuple[object, ...]) -> None:
    assert classify(seen(REFUSED, tls(), policy, pods=pods)).class_ == "buildkitd-conn-refused"


def test_a_missing_certificate_is_not_why_nobody_listens() -> None:
    assert classify(seen(REFUSED, NO_CLIENT)).class_ == "buildkitd-conn-refused"


@pytest.mark.parametrize(
    ("text", "facts", "policy", "decided"),
    [
        (PIPE, NO_CLIENT, OPEN, True),
        (REFUSED, tls(), SHUT, True),
        # The daemon may not be up yet: nothing has been refused.
        (REFUSED, NO_CLIENT, OPEN, False),
        (REFUSED, tls(), OPEN, False),
        (PIPE, tls(), OPEN, False),
        (PIPE, None, OPEN, False),
    ],
)
def test_waiting_ends_early_only_where_facts_make_the_refusal_last(
    text: str, facts: TlsFacts | None, policy: PolicyFacts, *, decided: bool
) -> None:
    assert decided_early(seen(text, facts, policy)) is decided


def green(facts: TlsFacts | None, **changes: object) -> Observation:
    known = ConnectionFacts(tls=facts, policy=OPEN) if facts is not None else None
    log = source(UNGUARDED, SourceKind.DAEMON, "logs/buildkitd.log")
    return observation(None, log, **({"connection": known, "pods": (READY,)} | changes))


def test_a_daemon_that_builds_for_everybody_is_a_finding_though_every_stage_passed() -> None:
    finding = classify(green(PLAIN))
    assert (finding.builds, finding.class_, finding.decisive) == (False, "buildkitd-no-authentication", True)
    assert [each.file for each in finding.evidence] == ["logs/buildkitd.log", "observation.json"]


def test_a_daemon_that_asks_for_no_certificate_is_as_open() -> None:
    assert classify(green(tls(asks_client=False))).class_ == "buildkitd-no-authentication"


@pytest.mark.parametrize("facts", [tls(), None])
def test_a_daemon_that_asks_for_certificates_or_is_in_the_clients_pod_builds(facts: TlsFacts | None) -> None:
    assert classify(green(facts)).builds


def test_a_restart_goes_before_an_open_door() -> None:
    finding = classify(green(PLAIN, pods=(pod(container(ready=True, restarts=1)),)))
    assert finding.class_ != "buildkitd-no-authentication"
