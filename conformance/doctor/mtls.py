"""Gate 4: the daemon answers those who show a certificate of its CA, and nobody else."""

from __future__ import annotations

import datetime as dt
from typing import Final

from conformance.doctor import certificates
from conformance.doctor.certificates import Known, Side
from conformance.doctor.client import HANDSHAKE, Call, Client, Door, Way
from conformance.doctor.gate import Gate
from conformance.doctor.installation import Installation
from conformance.doctor.reachable import NO_CLIENT
from conformance.doctor.records import Answer, Outcome, failed, passed, unproven

#: The daemon hangs up while the client still writes, so that the client sees now its alert, now only a broken pipe.
#: A third of the refusals name their reason: five tries leave a chance of one in eight that none does.
_TRIES: Final = 5
_OPEN: Final = "buildkitd-no-authentication"
_EXPIRED: Final = {Side.DAEMON: "mtls-server-cert-expired", Side.CLIENT: "mtls-client-cert-expired"}
_CLOSE: Final = (
    "Give the daemon --tlscacert, --tlscert and --tlskey, and its clients certificates of that CA. Until then "
    "everybody who reaches the port can run anything in the builder: a NetworkPolicy limits reach, not identity."
)


def run(installation: Installation) -> Answer:
    """Try every daemon behind the Service without TLS, with the client's certificates, and with TLS but none."""
    now = dt.datetime.now(dt.UTC)
    known = certificates.read(installation)
    read = tuple(each.says(now) for each in known)
    if (over := next((each for each in known if not each.is_valid(now)), None)) is not None:
        return failed(f"not in force: {over.says(now)}", failure_class=_EXPIRED[over.side], evidence=read)
    client = installation.client
    if client is None:
        return unproven("no client was named, so nobody tried to get in", remedy=NO_CLIENT, notes=read)
    answers = []
    for door in installation.doors():
        answers.append(_Trial(client, door).run())
        if answers[-1].outcome is Outcome.FAILED:
            return answers[-1]
    if (open_ := next((each for each in answers if each.outcome is Outcome.UNPROVEN), None)) is not None:
        return open_
    evidence = tuple(dict.fromkeys(line for each in answers for line in each.evidence))
    return passed(
        "without TLS and without a client certificate nobody gets in; with the client's certificates it does",
        evidence=evidence,
        notes=(*read, *_unread(known)),
    )


class _Trial:
    """One daemon's door, tried in each way."""

    def __init__(self, client: Client, door: Door) -> None:
        self._client = client
        self._door = door

    def run(self) -> Answer:
        plain = self._try(Way.PLAINTEXT)
        if plain.ok:
            return self._open("answers without TLS")
        if self._says_nothing(plain):
            return self._unproven(plain)
        if self._client.tls is None:
            return unproven(
                f"{self._door.title} refuses plaintext; that it asks clients for a certificate was not tried",
                remedy="Give --tls-ca, --tls-cert and --tls-key: paths inside the client.",
                evidence=(plain.last_line,),
            )
        if self._client.tls.cert:
            return self._with_certificates(plain)
        return self._without_certificates()

    def _with_certificates(self, plain: Call) -> Answer:
        own = self._try(Way.OWN)
        if not own.ok:
            return self._unproven(own) if self._says_nothing(own) else self._kept_out(own)
        anonymous = self._try(Way.ANONYMOUS)
        if anonymous.ok:
            return self._open("speaks TLS and asks for no client certificate")
        if self._says_nothing(anonymous):
            return self._unproven(anonymous)
        evidence = (f"without TLS: {plain.last_line}", f"without a client certificate: {anonymous.last_line}")
        # A broken pipe alone may be anything; that it works again with a certificate makes the certificate the cause.
        if not anonymous.finding.decisive and not self._client.workers(self._door, Way.OWN).ok:
            return unproven(
                f"{self._door.title} answered the client's certificates once and then not again",
                remedy="Look for restarts of the daemon, then ask again.",
                evidence=evidence,
            )
        return passed(f"{self._door.title} refuses both", evidence=evidence)

    def _without_certificates(self) -> Answer:
        call = self._try(Way.ANONYMOUS)
        if call.ok:
            return self._open("speaks TLS and asks for no client certificate")
        if not self._says_nothing(call) and call.finding.class_ != "mtls-bad-certificate":
            return self._kept_out(call)
        return unproven(
            f"{self._door.title} refuses a client without a certificate; that it lets one in with a certificate was "
            "not tried",
            remedy="Give --tls-cert and --tls-key: paths inside the client.",
            evidence=(call.last_line,),
        )

    def _try(self, way: Way) -> Call:
        """Call until it works, settles the matter or cannot be made at all."""
        call = self._client.workers(self._door, way)
        for _ in range(_TRIES - 1):
            # Nobody answers a plaintext client with a reason: to hang up is all that TLS can do.
            told = call.finding.decisive or call.finding.class_ == "mtls-client-plaintext"
            if call.ok or told or self._says_nothing(call):
                break
            call = self._client.workers(self._door, way)
        return call

    def _says_nothing(self, call: Call) -> bool:
        return bool(call.not_made) or (not call.ok and call.finding.class_ not in HANDSHAKE)

    def _open(self, how: str) -> Answer:
        return failed(
            f"{self._door.title} {how}: anyone who reaches it can build there",
            failure_class=_OPEN,
            remedy=_CLOSE,
            evidence=(f"buildctl listed the workers of {self._door.address}",),
        )

    def _kept_out(self, call: Call) -> Answer:
        settled = call.finding.decisive
        all_of_them = tuple(name for name in (call.finding.class_, *call.finding.candidates) if name)
        return failed(
            f"{self._door.title} and the client do not agree on TLS",
            failure_class=call.finding.class_ if settled else None,
            candidates=call.finding.candidates if settled else all_of_them,
            remedy=""
            if settled
            else "This text has several causes: compare the client's certificate with the CA that the daemon was "
            "given, and the end of its validity.",
            evidence=(call.last_line,),
        )

    def _unproven(self, call: Call) -> Answer:
        return unproven(
            call.not_made or f"{self._door.title} could not be tried at {self._door.address}",
            remedy="" if call.not_made else "Repair the way there first: routes, NetworkPolicies, the daemon itself.",
            evidence=() if call.not_made else (call.last_line,),
        )


def _unread(known: tuple[Known, ...]) -> tuple[str, ...]:
    missing = [side.value for side in Side if side not in {each.side for each in known}]
    if not missing:
        return ()
    return (
        f"the handshake proves that the certificate of the {' and the '.join(missing)} is valid now, not until when",
    )


GATE: Final = Gate(
    name="mtls",
    question="Does the daemon answer those who show a certificate of its CA, and nobody else?",
    run=run,
)
